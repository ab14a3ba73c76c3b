"""The yolo_labeling converter."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pytest_torchlauncher.converters.yolo_labeling import YoloLabeling
from pytest_torchlauncher.errors import DataError, MissingDataError, Position
from pytest_torchlauncher.images import by_opencv

MINIMAL = {"yolo_labeling": {"annotations_dir": "labels"}}


def write(folder, labels, images="images", suffix=".jpg", size=(200, 100)):
    """Write text files and for each an image of `size`, width and height."""
    (folder / "labels").mkdir()
    (folder / images).mkdir(exist_ok=True)
    for name, text in labels.items():
        (folder / "labels" / f"{name}.txt").write_text(text)
        Image.new("RGB", size).save(folder / images / f"{name}{suffix}")
    return folder / "labels"


def test_boxes_are_parts_of_the_image(tmp_path):
    labels = write(tmp_path, {"b": "2 0.5 0.25 0.5 0.5\n0 0.1 0.9 0.02 0.2\n\n", "a": ""})
    annotations = YoloLabeling(annotations_dir=labels).convert()
    first, second = annotations.items
    assert (first.identifier, second.identifier) == ("a.jpg", "b.jpg")
    assert (first.annotation.boxes.shape, first.annotation.labels.shape) == ((0, 4), (0,))
    assert (second.annotation.boxes.dtype, second.annotation.labels.dtype) == (np.float64, np.int64)
    np.testing.assert_allclose(second.annotation.boxes, [[50, 0, 150, 50], [18, 80, 22, 100]], rtol=1e-12)
    assert second.annotation.labels.tolist() == [2, 0]


@pytest.mark.parametrize("seed", range(5))
def test_boxes_are_those_of_torchvision(tmp_path, seed):
    import torch
    from torchvision.ops import box_convert

    rng = np.random.default_rng(seed)
    width, height = rng.integers(1, 500, 2).tolist()
    rows = rng.uniform(0, 1, (7, 4))
    text = "\n".join(f"{number} " + " ".join(map(repr, row)) for number, row in enumerate(rows.tolist()))
    labels = write(tmp_path, {"a": text}, size=(width, height))
    (item,) = YoloLabeling(annotations_dir=labels).convert().items
    scaled = torch.from_numpy(rows) * torch.tensor([width, height, width, height])
    np.testing.assert_allclose(item.annotation.boxes, box_convert(scaled, "cxcywh", "xyxy"), atol=1e-9)
    assert item.annotation.labels.tolist() == list(range(7))


@pytest.mark.parametrize("images", ["images", "labels", "elsewhere"])
def test_where_images_lie(tmp_path, images):
    labels = write(tmp_path, {"a": "0 0.5 0.5 1 1"}, images, ".png")
    options = {"images_dir": tmp_path / images} if images == "elsewhere" else {}
    annotations = YoloLabeling(annotations_dir=labels, images_suffix=".png", **options).convert()
    assert annotations.root == tmp_path / images
    assert [item.identifier for item in annotations.items] == ["a.png"]


def test_classes(tmp_path):
    labels = write(tmp_path, {"a": "2 0.5 0.5 1 1\n1 0.5 0.5 1 1", "b": ""})
    assert YoloLabeling(annotations_dir=labels).convert().meta.label_map == {0: "0", 1: "1", 2: "2"}
    names = tmp_path / "names.txt"
    names.write_text("cat\n\ntraffic light\n")
    meta = YoloLabeling(annotations_dir=labels, labels_file=names).convert().meta
    assert (meta.label_map, meta.background_label) == ({0: "cat", 1: "traffic light"}, None)


def test_without_objects_there_are_no_classes(tmp_path):
    assert YoloLabeling(annotations_dir=write(tmp_path, {"a": ""})).convert().meta.label_map == {}


def test_of_an_image_only_the_head_is_read(tmp_path, monkeypatch):
    labels = write(tmp_path, {"a": "0 0.5 0.5 1 1"})
    file = tmp_path / "images" / "a.jpg"
    file.write_bytes(file.read_bytes()[:-100])
    (item,) = YoloLabeling(annotations_dir=labels).convert().items
    np.testing.assert_array_equal(item.annotation.boxes, [[0, 0, 200, 100]])


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_photo_is_as_wide_as_its_reader_gives_it(tmp_path, orientation):
    labels = write(tmp_path, {"a": "0 0.5 0.5 1 1"})
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (200, 100)).save(tmp_path / "images" / "a.jpg", exif=exif)
    height, width = by_opencv((tmp_path / "images" / "a.jpg").read_bytes(), "COLOR").shape[:2]
    (item,) = YoloLabeling(annotations_dir=labels).convert().items
    np.testing.assert_array_equal(item.annotation.boxes, [[0, 0, width, height]])
    assert (width == 100) == (orientation > 4)


def test_the_list_of_classes_is_no_image(tmp_path):
    labels = write(tmp_path, {"a": "0 0.5 0.5 1 1"})
    (labels / "classes.txt").write_text("dog\n")
    assert [item.identifier for item in YoloLabeling(annotations_dir=labels).convert().items] == ["a.jpg"]


@pytest.mark.parametrize(
    "line",
    [
        "0 0.5 0.5 1",
        "0 0.5 0.5 1 x",
        "0 0.5 0.5 1 nan",
        "dog 0.5 0.5 1 1",
        "0.5 0.5 0.5 1 1",
        "-1 0.5 0.5 1 1",
        "50000000 0.5 0.5 1 1",
    ],
)
def test_lines_that_cannot_be_used(tmp_path, line):
    labels = write(tmp_path, {"a": f"0 0.5 0.5 1 1\n\n{line}"})
    with pytest.raises(DataError) as caught:
        YoloLabeling(annotations_dir=labels).convert()
    assert caught.value.where == Position(labels / "a.txt", 3, 1)
    assert caught.value.message == f"{line!r} found, a class index, x, y, width and height expected"


def test_images_that_cannot_be_used(tmp_path):
    labels = write(tmp_path, {"a": ""})
    file = tmp_path / "images" / "a.jpg"
    file.write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        YoloLabeling(annotations_dir=labels).convert()
    assert str(caught.value).startswith(f"{file} cannot be read as an image, whose size is needed: cannot identify")
    file.unlink()
    with pytest.raises(MissingDataError) as caught:
        YoloLabeling(annotations_dir=labels).convert()
    assert str(caught.value) == f"image {file} is not there; set images_dir and images_suffix"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotations_dir is not there: .*none$"):
        YoloLabeling(annotations_dir=tmp_path / "none").convert()
