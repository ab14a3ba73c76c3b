"""The voc_detection converter."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_torchlauncher.converters.voc_detection import VOCDetection
from pytest_torchlauncher.errors import DataError, MissingDataError, Position

MINIMAL = {"voc_detection": {"imageset_file": "VOC/ImageSets/Main/val.txt", "annotations_dir": "VOC/Annotations"}}


def thing(name, box, difficult="0"):
    sides = "".join(
        f"<{side}>{value}</{side}>" for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    flag = "" if difficult is None else f"<difficult>{difficult}</difficult>"
    return f"<object><name>{name}</name>{flag}<bndbox>{sides}</bndbox></object>"


def write(folder, images, imageset=None):
    annotations = folder / "VOC" / "Annotations"
    annotations.mkdir(parents=True, exist_ok=True)
    for name, objects in images.items():
        text = (
            f"<annotation><filename>{name}.png</filename><size><width>9</width></size>{''.join(objects)}</annotation>"
        )
        (annotations / f"{name}.xml").write_text(text)
    file = folder / "VOC" / "ImageSets" / "Main" / "val.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(images) if imageset is None else imageset)
    return {"imageset_file": file, "annotations_dir": annotations}


def converted(folder, images, imageset=None, **options):
    return VOCDetection(**write(folder, images, imageset), **options).convert()


def meta_file(folder, content):
    file = folder / "meta.json"
    file.write_text(json.dumps(content))
    return file


def test_coordinates_count_from_zero(tmp_path):
    images = {"b": [thing("dog", (1, 2, 30, 40)), thing("aeroplane", (2.5, 1, 3, "4.75"))], "a": []}
    annotations = converted(tmp_path, images)
    first, second = annotations.items
    assert (first.identifier, second.identifier) == ("b.png", "a.png")
    assert (first.annotation.boxes.dtype, first.annotation.labels.dtype) == (np.float64, np.int64)
    np.testing.assert_array_equal(first.annotation.boxes, [[0, 1, 29, 39], [1.5, 0, 2, 3.75]])
    assert first.annotation.labels.tolist() == [12, 1]
    assert second.annotation.boxes.shape == (0, 4)
    assert annotations.root == tmp_path / "VOC" / "JPEGImages"


def test_difficult_objects(tmp_path):
    objects = [thing("dog", (1, 1, 2, 2), difficult) for difficult in ("0", "1", " 1 ", None)]
    (item,) = converted(tmp_path, {"a": objects}).items
    assert item.annotation.difficult.tolist() == [False, True, True, False]
    assert not item.annotation.crowd.any()


def test_the_image_set_may_say_more_than_names(tmp_path):
    items = converted(tmp_path, {"a": [], "b": [], "c": []}, imageset="c  1\n\na -1\r\n\n").items
    assert [item.identifier for item in items] == ["c.png", "a.png"]


def test_the_file_may_be_named_by_the_image_set_alone(tmp_path):
    options = write(tmp_path, {"a": []})
    (options["annotations_dir"] / "a.xml").write_text("<annotation></annotation>")
    (item,) = VOCDetection(**options).convert().items
    assert item.identifier == "a.jpg"


def test_an_encoding_may_be_declared(tmp_path):
    options = write(tmp_path, {"a": []})
    text = '<?xml version="1.0" encoding="latin-1"?><annotation><filename>é.png</filename></annotation>'
    (options["annotations_dir"] / "a.xml").write_bytes(text.encode("latin-1"))
    (item,) = VOCDetection(**options).convert().items
    assert item.identifier == "é.png"


@pytest.mark.parametrize(
    ("meta", "has_background", "label", "names", "background"),
    [
        (None, True, 3, {0: "background", 1: "aeroplane", 3: "bird", 20: "tvmonitor"}, 0),
        (None, False, 2, {0: "aeroplane", 2: "bird", 19: "tvmonitor"}, None),
        ({"labels": ["cow", "bird"]}, True, 2, {0: "background", 1: "cow", 2: "bird"}, 0),
        ({"labels": ["cow", "bird"]}, False, 1, {0: "cow", 1: "bird"}, None),
        ({"label_map": {"5": "bird"}}, True, 5, {5: "bird"}, 0),
        ({"label_map": {"5": "bird"}, "background_label": 7}, False, 5, {5: "bird"}, None),
        ({}, True, 3, {0: "background", 3: "bird"}, 0),
    ],
)
def test_labels(tmp_path, meta, has_background, label, names, background):
    options = {} if meta is None else {"dataset_meta_file": meta_file(tmp_path, meta)}
    annotations = converted(tmp_path, {"a": [thing("bird", (1, 1, 2, 2))]}, has_background=has_background, **options)
    assert annotations.items[0].annotation.labels.tolist() == [label]
    assert names.items() <= dict(annotations.meta.label_map).items()
    assert annotations.meta.background_label == background


def test_where_images_lie(tmp_path):
    assert converted(tmp_path, {"a": []}, images_dir=tmp_path / "png").root == tmp_path / "png"


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([thing("dog", (1, 2, "x", 4))], "bndbox/xmax: 'x' found, a number expected"),
        ([thing("dog", (1, 2, "nan", 4))], "bndbox/xmax: 'nan' found, a number expected"),
        (["<object><name>dog</name></object>"], "bndbox/xmin: None found, a number expected"),
        ([thing("cat", (1, 2, 3, 4))], "class 'cat' found, one of background, dog expected"),
    ],
)
def test_objects_that_cannot_be_used(tmp_path, objects, message):
    meta = meta_file(tmp_path, {"labels": ["dog"]})
    with pytest.raises(DataError) as caught:
        converted(tmp_path, {"a": objects}, dataset_meta_file=meta)
    assert str(caught.value) == f"{tmp_path / 'VOC/Annotations/a.xml'}: {message}"


def test_invalid_xml_is_named_with_its_place(tmp_path):
    options = write(tmp_path, {"a": []})
    file = options["annotations_dir"] / "a.xml"
    file.write_text("<annotation>\n <size></annotation>")
    with pytest.raises(DataError) as caught:
        VOCDetection(**options).convert()
    assert caught.value.where == Position(file, 2, 10)
    assert caught.value.message == "invalid XML: mismatched tag: line 2, column 9; correct the file"


def test_missing_files_are_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotations_dir is not there: .*Annotations/b\.xml$"):
        converted(tmp_path, {"a": []}, imageset="b")
    with pytest.raises(MissingDataError, match=r"^imageset_file is not there: .*none\.txt$"):
        VOCDetection(imageset_file=tmp_path / "none.txt", annotations_dir=tmp_path).convert()
