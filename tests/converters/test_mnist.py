"""The mnist converter."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from pytest_torchlauncher.converters.mnist import Mnist
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.types import DatasetMeta

MINIMAL = {"mnist": {"labels_file": "labels", "images_file": "images"}}

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
LABELS = np.array([7, 0, 9, 1], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 2048 + array.ndim, *array.shape) + array.tobytes()


def mnist(folder: Path, images: bytes = idx(IMAGES), labels: bytes = idx(LABELS), **options: object) -> Mnist:
    (folder / "images").write_bytes(images)
    (folder / "labels").write_bytes(labels)
    return Mnist(labels_file=folder / "labels", images_file=folder / "images", **options)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_images_and_labels(tmp_path, pack):
    annotations = mnist(tmp_path, pack(idx(IMAGES)), pack(idx(LABELS))).convert()
    assert [item.identifier for item in annotations.items] == ["0.png", "1.png", "2.png", "3.png"]
    assert [item.annotation.index for item in annotations.items] == [7, 0, 9, 1]
    assert annotations.meta == DatasetMeta({i: str(i) for i in range(10)})
    assert annotations.root is None
    for item, image in zip(annotations.items, IMAGES, strict=True):
        assert item.data is not None
        assert (item.data.shape, item.data.dtype, item.color) == ((28, 28, 1), np.uint8, "gray")
        np.testing.assert_array_equal(item.data[..., 0], image)


def test_agrees_with_torchvision(tmp_path):
    from torchvision.datasets.mnist import read_image_file, read_label_file

    items = mnist(tmp_path).convert().items
    np.testing.assert_array_equal(np.stack([item.data[..., 0] for item in items]), read_image_file(tmp_path / "images"))
    assert [item.annotation.index for item in items] == read_label_file(tmp_path / "labels").tolist()


def test_other_sizes_and_names(tmp_path):
    (tmp_path / "meta.json").write_text(json.dumps({"labels": ["shirt", "shoe"]}))
    annotations = mnist(tmp_path, idx(IMAGES[:, :5, :6]), dataset_meta_file=tmp_path / "meta.json").convert()
    assert annotations.items[3].data.shape == (5, 6, 1)
    assert annotations.meta == DatasetMeta({0: "shirt", 1: "shoe"})


def test_images_are_written(tmp_path):
    from PIL import Image

    annotations = mnist(tmp_path, convert_images=True).convert()
    assert annotations.root == tmp_path / "converted_images"
    assert sorted(path.name for path in annotations.root.iterdir()) == [f"{i}.png" for i in range(4)]
    with Image.open(annotations.root / "2.png") as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.array(image), IMAGES[2])


def test_images_are_written_where_told(tmp_path):
    mnist(tmp_path, convert_images=True, converted_images_dir=tmp_path / "here").convert()
    assert len(list((tmp_path / "here").iterdir())) == 4


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (idx(LABELS), "magic number 2049 found, 2051 expected; is it the right file?"),
        (b"", "magic number 0 found, 2051 expected; is it the right file?"),
        (idx(IMAGES)[:10], "10 bytes found, a header of 16 expected; fetch the file again"),
        (idx(IMAGES)[:-1], "3135 values found, 4 x 28 x 28 expected; fetch the file again"),
        (idx(IMAGES) + b"\0", "3137 values found, 4 x 28 x 28 expected; fetch the file again"),
    ],
)
def test_images_of_another_form(tmp_path, images, message):
    with pytest.raises(DataError) as caught:
        mnist(tmp_path, images).convert()
    assert str(caught.value) == f"images_file {tmp_path / 'images'}: {message}"


def test_labels_of_another_form(tmp_path):
    with pytest.raises(DataError) as caught:
        mnist(tmp_path, labels=idx(IMAGES)).convert()
    assert str(caught.value) == (
        f"labels_file {tmp_path / 'labels'}: magic number 2051 found, 2049 expected; is it the right file?"
    )


@pytest.mark.parametrize("broken", [gzip.compress(idx(IMAGES))[:-20], b"\x1f\x8b rubbish, not deflate"])
def test_broken_gzip(tmp_path, broken):
    with pytest.raises(DataError, match=r"^images_file .*images: broken gzip file: .*; fetch the file again$"):
        mnist(tmp_path, broken).convert()


def test_counts_must_agree(tmp_path):
    with pytest.raises(DataError) as caught:
        mnist(tmp_path, labels=idx(LABELS[:3])).convert()
    assert str(caught.value) == (
        f"4 images in {tmp_path / 'images'} and 3 labels in {tmp_path / 'labels'} found, as many of both expected"
    )


def test_missing_files_are_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^labels_file is not there: .*a$"):
        Mnist(labels_file=tmp_path / "a", images_file=tmp_path / "b").convert()
    (tmp_path / "a").write_bytes(idx(LABELS))
    with pytest.raises(MissingDataError, match=r"^images_file is not there: .*b$"):
        Mnist(labels_file=tmp_path / "a", images_file=tmp_path / "b").convert()
