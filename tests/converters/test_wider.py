"""The wider converter."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_torchlauncher.converters.wider import Wider
from pytest_torchlauncher.errors import DataError, MissingDataError, Position

MINIMAL = {"wider": {"annotation_file": "wider_face_val_bbx_gt.txt"}}

TEXT = """\
1--Parade/b.jpg
2
449 330 122 149 0 0 0 0 0 0
10.5 20 0 0 2 0 0 1 0 1
0--Party/a.jpg
0
0 0 0 0 0 0 0 0 0 0
0--Party/c.jpg
1
1 2 3 4
"""


def stored(folder, text, name="val.txt"):
    file = folder / name
    file.write_text(text)
    return file


def converted(folder, text=TEXT, **options):
    return Wider(annotation_file=stored(folder, text), **options).convert()


def test_boxes_in_the_order_of_the_file(tmp_path):
    items = converted(tmp_path).items
    assert [item.identifier for item in items] == ["1--Parade/b.jpg", "0--Party/a.jpg", "0--Party/c.jpg"]
    first, empty, last = (item.annotation for item in items)
    assert (first.boxes.dtype, first.labels.dtype) == (np.float64, np.int64)
    np.testing.assert_array_equal(first.boxes, [[449, 330, 571, 479], [10.5, 20, 10.5, 20]])
    assert (first.labels.tolist(), last.labels.tolist()) == ([1, 1], [1])
    np.testing.assert_array_equal(last.boxes, [[1, 2, 4, 6]])
    assert (empty.boxes.shape, empty.labels.shape) == ((0, 4), (0,))


def test_no_dummy_line_is_needed_and_line_ends_do_not_matter(tmp_path):
    items = converted(tmp_path, "a.jpg\r\n0\r\nb.jpg\r\n1\r\n1 2 3 4 \r\n").items
    assert [len(item.annotation) for item in items] == [0, 1]


@pytest.mark.parametrize(
    ("start", "names", "background"),
    [
        (1, {0: "__background__", 1: "face"}, 0),
        (5, {0: "__background__", 5: "face"}, 0),
        (0, {0: "face"}, None),
    ],
)
def test_the_label_of_a_face(tmp_path, start, names, background):
    annotations = converted(tmp_path, label_start=start)
    assert annotations.items[0].annotation.labels.tolist() == [start] * 2
    assert (annotations.meta.label_map, annotations.meta.background_label) == (names, background)


@pytest.mark.parametrize(
    ("content", "start", "label", "names", "background"),
    [
        ({"label_map": {"3": "face", "4": "mask"}}, 1, 3, {3: "face", 4: "mask"}, None),
        ({"label_map": {"0": "none", "2": "face"}, "background_label": 0}, 1, 2, {0: "none", 2: "face"}, 0),
        ({"label_map": {"0": "__background__", "2": "face"}}, 1, 2, {0: "__background__", 2: "face"}, None),
        ({"labels": ["face", "mask"]}, 1, 1, {0: "background", 1: "face", 2: "mask"}, 0),
        ({"labels": ["face", "mask"]}, 0, 0, {0: "face", 1: "mask"}, None),
        ({"labels": ["face", "mask"]}, 2, 2, {0: "background", 2: "face", 3: "mask"}, 0),
        ({}, 1, 1, {0: "__background__", 1: "face"}, 0),
    ],
)
def test_classes_of_another_file(tmp_path, content, start, label, names, background):
    file = stored(tmp_path, json.dumps(content), "meta.json")
    annotations = converted(tmp_path, dataset_meta_file=file, label_start=start)
    assert annotations.items[0].annotation.labels.tolist() == [label] * 2
    assert (annotations.meta.label_map, annotations.meta.background_label) == (names, background)


def test_a_face_needs_a_class(tmp_path):
    file = stored(tmp_path, '{"label_map": {"0": "background"}}', "meta.json")
    with pytest.raises(DataError) as caught:
        converted(tmp_path, dataset_meta_file=file)
    assert str(caught.value) == ("no class but the background found in dataset_meta_file; name that of the faces there")


def test_where_images_lie(tmp_path):
    assert converted(tmp_path).root is None
    assert converted(tmp_path, images_dir=tmp_path / "images").root == tmp_path / "images"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a.jpg\n1 2 3 4", 2, "'1 2 3 4' found, the number of faces expected"),
        ("a.jpg\n²", 2, "'²' found, the number of faces expected"),
        ("a.jpg", 2, "'' found, the number of faces expected"),
        ("a.jpg\n2\n1 2 3 4\nb.jpg\n0", 4, "'b.jpg' found, x, y, width and height of a face expected"),
        ("a.jpg\n1\n1 2 3", 3, "'1 2 3' found, x, y, width and height of a face expected"),
        ("a.jpg\n1\n1 2 3 nan", 3, "'1 2 3 nan' found, x, y, width and height of a face expected"),
        ("a.jpg\n1", 3, "'' found, x, y, width and height of a face expected"),
    ],
)
def test_lines_that_cannot_be_used(tmp_path, text, line, message):
    with pytest.raises(DataError) as caught:
        converted(tmp_path, text)
    assert caught.value.where == Position(tmp_path / "val.txt", line, 1)
    assert caught.value.message == message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotation_file is not there: .*none\.txt$"):
        Wider(annotation_file=tmp_path / "none.txt").convert()
