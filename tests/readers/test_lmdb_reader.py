"""The lmdb_reader."""

from __future__ import annotations

import sys

import cv2
import lmdb
import numpy as np
import pytest

from pytest_torchlauncher.errors import DataError, MissingExtraError
from pytest_torchlauncher.readers.lmdb_reader import LmdbReader

RNG = np.random.default_rng(0)
COLOR = RNG.integers(0, 256, (5, 7, 3), np.uint8)


def png(image):
    return cv2.imencode(".png", image)[1].tobytes()


def database(folder, *images):
    with lmdb.open(str(folder), map_size=2**20) as store, store.begin(write=True) as transaction:
        for number, image in enumerate(images, start=1):
            transaction.put(f"image-{number:09d}".encode(), image)
    return folder


def test_the_identifier_is_the_number(tmp_path):
    root = database(tmp_path, b"first", b"second")
    reader = LmdbReader()
    assert [reader.fetch(root, identifier) for identifier in ("2", "1", "2", "000000001")] == [
        b"second",
        b"first",
        b"second",
        b"first",
    ]


def test_others_may_open_the_database_between(tmp_path):
    root = database(tmp_path, b"first")
    assert LmdbReader().fetch(root, "1") == b"first"
    with lmdb.open(str(root), map_size=2**20) as store, store.begin(write=True) as transaction:
        transaction.put(b"image-000000001", b"another")
    assert LmdbReader().fetch(root, "1") == b"another"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_are_bgr(dtype):
    image = COLOR.astype(dtype)
    data, color = LmdbReader().decode(png(image))
    np.testing.assert_array_equal(data, image)
    assert (data.dtype, color) == (dtype, "bgr")


def test_gray_images_get_three_channels():
    data, color = LmdbReader().decode(png(COLOR[..., 0]))
    np.testing.assert_array_equal(data, np.dstack([COLOR[..., 0]] * 3))
    assert color == "bgr"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"rubbish", "7 bytes found that OpenCV cannot decode, an image expected"),
        (b"", "0 bytes found that OpenCV cannot decode, an image expected"),
        (png(np.dstack([COLOR, COLOR[..., 0]])), "an image with 4 channels found, one or three expected"),
    ],
)
def test_what_is_no_such_image(content, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        LmdbReader().decode(content)


def test_a_missing_key_is_named(tmp_path):
    with pytest.raises(DataError) as caught:
        LmdbReader().fetch(database(tmp_path, b"first"), "2")
    remedy = "correct the identifiers of the annotations"
    assert str(caught.value) == f"no key image-000000002 found in the LMDB {tmp_path}; {remedy}"


@pytest.mark.parametrize("identifier", ["a.png", "-1", "", "²"])
def test_an_identifier_that_is_no_number(tmp_path, identifier):
    with pytest.raises(DataError) as caught:
        LmdbReader().fetch(tmp_path, identifier)
    assert str(caught.value) == f"identifier {identifier!r} found, the number of an image in an LMDB expected"


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(DataError, match=r"^data_source cannot be read as LMDB: .*No such file or directory$"):
        LmdbReader().fetch(tmp_path, "1")


def test_lmdb_is_an_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(MissingExtraError, match=r"^lmdb is not installed; run pip install .*\[lmdb\]"):
        LmdbReader().fetch(tmp_path, "1")
