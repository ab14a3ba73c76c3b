"""The numpy_reader reader."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from pytest_torchlauncher.readers.numpy_reader import NumpyReader

ARRAY = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("array", [ARRAY, ARRAY[0, 0], np.int64(3), np.asfortranarray(ARRAY)])
def test_npy(array):
    data, color = NumpyReader().decode(npy(array))
    np.testing.assert_array_equal(data, array)
    assert (data.dtype, color) == (array.dtype, None)


def test_npz_gives_its_first_array():
    data, _ = NumpyReader().decode(npz(second=ARRAY, another=ARRAY + 1))
    np.testing.assert_array_equal(data, ARRAY)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rubbish",
        npy(ARRAY)[:-1],
        npz(a=ARRAY)[:-30],
        npy(np.array([{}], dtype=object)),
        npz(a=np.array([{}], dtype=object)),
        zipped(),
        zipped(text=b"no array"),
    ],
)
def test_what_cannot_be_read(content):
    with pytest.raises(ValueError, match=rf"^{len(content)} bytes found that numpy cannot read without pickle \(.+\)$"):
        NumpyReader().decode(content)
