"""Cityscapes, ADE20K and folders of images and masks: which mask belongs to an image, its labels and its classes."""

import io
import json

import numpy as np
import pytest
from PIL import Image as Picture

from pytest_torchlauncher.converters._masks import DecodedMask
from pytest_torchlauncher.converters.ade20k import ADE20K
from pytest_torchlauncher.converters.cityscapes import Cityscapes
from pytest_torchlauncher.converters.common_semantic_segmentation import CommonSemanticSegmentation
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.types import DatasetMeta

MINIMAL = {
    "common_semantic_segmentation": {"images_dir": "images", "masks_dir": "masks"},
    "cityscapes": {"dataset_root_dir": "."},
    "ade20k": {"images_dir": "images", "annotations_dir": "masks", "object_categories_file": "classes.txt"},
}
LABELS = np.random.default_rng(0).integers(0, 256, (5, 7), dtype=np.uint8)
COLORS = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def png(values, mode=None):
    picture = values if isinstance(values, Picture.Image) else Picture.fromarray(values, mode)
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def palette():
    """Return an image whose pixels are the indices LABELS of a palette of grays, backwards."""
    picture = Picture.fromarray(LABELS, "L").convert("P")
    picture.putdata(LABELS.reshape(-1).tolist())
    picture.putpalette([value for index in range(256) for value in [255 - index] * 3])
    return png(picture)


def put(folder, *names, content=b""):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content or png(LABELS))


def pairs(annotations):
    return [(item.identifier, item.annotation.file) for item in annotations.items]


def read(item):
    mask = item.annotation
    return mask.decode((mask.root / mask.file).read_bytes())


def saved(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def zipped(array):
    content = io.BytesIO()
    np.savez(content, mask=array)
    return content.getvalue()


@pytest.mark.parametrize(
    ("loader", "content", "expected"),
    [
        ("pillow", png(LABELS), LABELS),
        ("pillow", palette(), LABELS),
        ("scipy", palette(), LABELS),
        ("pillow", png(COLORS), COLORS),
        ("pillow", png(np.dstack([COLORS, LABELS])), COLORS),
        ("pillow_convert_to_rgb", palette(), np.dstack([255 - LABELS] * 3)),
        ("opencv", png(COLORS), COLORS[..., ::-1]),
        ("opencv", png(LABELS), np.dstack([LABELS] * 3)),
        ("opencv_unchanged", png(LABELS), LABELS),
        ("opencv_gray", png(LABELS), LABELS),
        ("numpy", saved(LABELS.astype(np.int32)), LABELS),
        ("numpy", saved(LABELS[..., np.newaxis].astype(np.float32)), LABELS),
        ("numpy", zipped(LABELS == 3), (LABELS == 3).astype(int)),
    ],
)
def test_what_a_file_holds(loader, content, expected):
    labels = DecodedMask(loader)(content).labels
    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype.kind in "iu"


@pytest.mark.parametrize(
    ("loader", "content", "message"),
    [
        ("pillow", b"no image", "found that Pillow cannot decode, an image expected"),
        ("opencv", b"no image", "found that OpenCV cannot decode, an image expected"),
        ("numpy", b"no array", "no array saved by numpy found: "),
        ("numpy", saved(np.array([{}], object)), "no array saved by numpy found: "),
        ("numpy", saved(np.zeros((2, 3, 4, 5))), r"an array \(2, 3, 4, 5\) found, a mask \(H, W\) or colours"),
    ],
)
def test_a_file_that_is_no_mask(loader, content, message):
    with pytest.raises(ValueError, match=message):
        DecodedMask(loader)(content)


def folders(tmp_path):
    put(tmp_path / "images", "img_b.jpg", "img_a.jpg", "c.jpg", "img_d.png")
    put(tmp_path / "masks", "a_gt.png", "b_gt.png", "c_gt.png")
    return {"images_dir": tmp_path / "images", "masks_dir": tmp_path / "masks"}


def test_names_alike_but_for_what_stands_around_them(tmp_path):
    options = {**folders(tmp_path), "image_prefix": "img_", "image_postfix": ".jpg", "mask_postfix": "_gt.png"}
    annotations = CommonSemanticSegmentation(**options).convert()
    assert pairs(annotations) == [("img_a.jpg", "a_gt.png"), ("img_b.jpg", "b_gt.png")]
    assert (annotations.root, annotations.meta) == (tmp_path / "images", DatasetMeta())
    np.testing.assert_array_equal(read(annotations.items[0]).labels, LABELS)


def test_mask_loader(tmp_path):
    options = {**folders(tmp_path), "image_postfix": "_d.png", "mask_prefix": "", "mask_postfix": "_d.png"}
    put(tmp_path / "masks", "img_d.png", content=png(COLORS))
    (item,) = CommonSemanticSegmentation(**options, mask_loader="opencv").convert().items
    np.testing.assert_array_equal(read(item).labels, COLORS[..., ::-1])


def test_images_without_a_mask_are_counted(tmp_path):
    with pytest.raises(DataError) as caught:
        CommonSemanticSegmentation(**folders(tmp_path), image_postfix=".jpg", mask_postfix="_gt.png").convert()
    assert str(caught.value) == (
        f"2 of 3 images have no mask in {tmp_path / 'masks'}, the first is img_a.jpg; img_a_gt.png expected"
    )


@pytest.mark.parametrize("option", ["images_dir", "masks_dir"])
def test_a_missing_folder_is_named(tmp_path, option):
    options = {**folders(tmp_path), option: tmp_path / "nowhere"}
    with pytest.raises(MissingDataError, match=rf"^{option} is not there: .*nowhere$"):
        CommonSemanticSegmentation(**options).convert()


def test_classes_of_the_meta_file(tmp_path):
    content = {
        "label_map": {"0": "road", "7": "sky"},
        "segmentation_colors": [[1, 2, 3], [4, 5, 6]],
        "prediction_to_gt_labels": {"0": 7, "1": 0},
        "background_label": "0",
    }
    (tmp_path / "meta.json").write_text(json.dumps(content))
    options = {**folders(tmp_path), "mask_postfix": "_gt.png", "image_prefix": "img_", "image_postfix": ".jpg"}
    meta = CommonSemanticSegmentation(**options, dataset_meta_file=tmp_path / "meta.json").convert().meta
    assert meta == DatasetMeta({0: "road", 7: "sky"}, 0, ((1, 2, 3), (4, 5, 6)), {0: 7, 1: 0})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"segmentation_colors": [[1, 2]]}, "segmentation_colors: a list of [red, green, blue] expected"),
        ({"segmentation_colors": 3}, "segmentation_colors: a list of [red, green, blue] expected"),
        ({"prediction_to_gt_labels": [1]}, "prediction_to_gt_labels: an object of class index to class index expected"),
        (
            {"prediction_to_gt_labels": {"sky": 1}},
            "prediction_to_gt_labels: an object of class index to class index expected",
        ),
    ],
)
def test_a_meta_file_of_another_form(tmp_path, content, message):
    (tmp_path / "meta.json").write_text(json.dumps(content))
    options = {**folders(tmp_path), "mask_postfix": "_gt.png", "image_prefix": "img_", "image_postfix": ".jpg"}
    with pytest.raises(DataError) as caught:
        CommonSemanticSegmentation(**options, dataset_meta_file=tmp_path / "meta.json").convert()
    assert str(caught.value) == f"dataset_meta_file {tmp_path / 'meta.json'}: {message}"


def streets(tmp_path):
    images, masks = tmp_path / "imgsFine/leftImg8bit/val", tmp_path / "gtFine/val"
    for name in ("ulm/ulm_1", "bonn/bonn_2", "bonn/bonn_1"):
        put(images, f"{name}_leftImg8bit.png", f"{name}_rightImg8bit.png", f"{name}_leftImg8bit.txt")
        put(masks, f"{name}_gtFine_labelTrainIds.png", f"{name}_gtFine_labelIds.png")
    return tmp_path


def test_cityscapes(tmp_path):
    annotations = Cityscapes(dataset_root_dir=streets(tmp_path)).convert()
    assert pairs(annotations) == [
        (
            f"imgsFine/leftImg8bit/val/{city}/{city}_{number}_leftImg8bit.png",
            f"gtFine/val/{city}/{city}_{number}_gtFine_labelTrainIds.png",
        )
        for city, number in (("bonn", 1), ("bonn", 2), ("ulm", 1))
    ]
    np.testing.assert_array_equal(read(annotations.items[0]).labels, LABELS)
    meta = annotations.meta
    assert (len(meta.label_map), meta.label_map[0], meta.label_map[18], meta.label_map[19]) == (
        20, "road", "bicycle", "background"
    )  # fmt: skip
    assert (meta.background_label, meta.segmentation_colors[13], meta.prediction_to_gt_labels) == (
        19, (0, 0, 142), {}
    )  # fmt: skip


def test_all_classes_of_cityscapes(tmp_path):
    options = {"masks_suffix": "_gtFine_labelIds", "use_full_label_map": True}
    annotations = Cityscapes(dataset_root_dir=streets(tmp_path), **options).convert()
    assert pairs(annotations)[0][1] == "gtFine/val/bonn/bonn_1_gtFine_labelIds.png"
    meta = annotations.meta
    assert sorted(meta.label_map) == list(range(-1, 34))
    assert {index: meta.label_map[index] for index in (-1, 0, 7, 26, 33)} == {
        -1: "license plate", 0: "unlabeled", 7: "road", 26: "car", 33: "bicycle"
    }  # fmt: skip
    assert (len(meta.segmentation_colors), meta.segmentation_colors[26]) == (34, (0, 0, 142))
    # The official train ids, labels.py of cityscapesScripts.
    ids = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    assert dict(meta.prediction_to_gt_labels) == dict(enumerate(ids))


def test_folders_and_suffixes_of_cityscapes(tmp_path):
    put(tmp_path / "i" / "x", "a.left.png")
    put(tmp_path / "m" / "x", "a.ids.png")
    (tmp_path / "meta.json").write_text('{"labels": ["a", "b"]}')
    options = {"images_subfolder": "i", "masks_subfolder": "m", "images_suffix": ".left", "masks_suffix": ".ids"}
    converter = Cityscapes(dataset_root_dir=tmp_path, **options, dataset_meta_file=tmp_path / "meta.json")
    annotations = converter.convert()
    assert pairs(annotations) == [("i/x/a.left.png", "m/x/a.ids.png")]
    assert annotations.meta == DatasetMeta({0: "a", 1: "b"})


def test_cityscapes_without_images(tmp_path):
    with pytest.raises(DataError) as caught:
        Cityscapes(dataset_root_dir=tmp_path, images_subfolder="val").convert()
    assert str(caught.value) == f"no image found in {tmp_path}; val/*/*_leftImg8bit.png expected"


def scenes(tmp_path, classes="Idx\tRatio\tName\n1\t0.5\twall\n2\t0.2\tbuilding, edifice\n3\t0.1\tsky\n"):
    put(tmp_path / "images", "b.jpg", "a.jpg", "c.png")
    put(tmp_path / "masks", "a.png", "b.png")
    (tmp_path / "classes.txt").write_text(classes)
    return {name: tmp_path / path for name, path in MINIMAL["ade20k"].items()}


def test_ade20k(tmp_path):
    annotations = ADE20K(**scenes(tmp_path)).convert()
    assert pairs(annotations) == [("a.jpg", "a.png"), ("b.jpg", "b.png")]
    assert annotations.meta == DatasetMeta({0: "background", 1: "wall", 2: "building, edifice", 3: "sky"}, 0)
    np.testing.assert_array_equal(read(annotations.items[0]).labels, LABELS)


def test_the_first_classes_of_ade20k(tmp_path):
    meta = ADE20K(**scenes(tmp_path), num_classes=3).convert().meta
    assert meta.label_map == {0: "background", 1: "wall", 2: "building, edifice"}


@pytest.mark.parametrize("classes", ["Name\nwall\n", "Idx\tTitle\n1\twall\n", "Idx\tName\nx\twall\n"])
def test_classes_of_ade20k_of_another_form(tmp_path, classes):
    with pytest.raises(DataError) as caught:
        ADE20K(**scenes(tmp_path, classes)).convert()
    assert str(caught.value) == (
        f"object_categories_file {tmp_path / 'classes.txt'}: the tab-separated columns Idx, numbers, and Name expected"
    )


def test_a_missing_file_of_ade20k_is_named(tmp_path):
    options = {**scenes(tmp_path), "object_categories_file": tmp_path / "nowhere.txt"}
    with pytest.raises(MissingDataError, match=r"^object_categories_file is not there: "):
        ADE20K(**options).convert()
