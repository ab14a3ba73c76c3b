"""The cvat_multilabel_binary_attributes_recognition converter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.converters.cvat_multilabel_binary_attributes_recognition import CvatMultilabelAttributes
from pytest_torchlauncher.errors import DataError, MissingDataError, Position

MINIMAL = {"cvat_multilabel_binary_attributes_recognition": {"annotation_file": "persons.xml", "label": "person"}}

NAMES = ["is_male", "has_bag", "has_hat"]


def attributes(**values):
    return "".join(f'<attribute name="{name}">{text}</attribute>' for name, text in values.items())


def box(inside="", label="person", corners=("1.5", "2", "30.25", "40")):
    sides = " ".join(f'{side}="{x}"' for side, x in zip(("xtl", "ytl", "xbr", "ybr"), corners, strict=True))
    return f'<box label="{label}" {sides}>{inside}</box>'


def image(name, *boxes):
    return f'<image id="0" name="{name}" width="64" height="64">{"".join(boxes)}</image>'


def annotation_file(folder, *images, names=NAMES):
    inside = "".join(f"<attribute><name>{name}</name><values>T\nF</values></attribute>" for name in names)
    labels = (
        f"<label><name>car</name><attributes><attribute><name>colour</name></attribute></attributes></label>"
        f"<label><name>person</name><attributes>{inside}</attributes></label>"
    )
    file = folder / "persons.xml"
    file.write_text(
        f"<annotations><meta><task><size>9</size><labels>{labels}</labels></task></meta>{''.join(images)}</annotations>"
    )
    return file


def converted(file, **options):
    return CvatMultilabelAttributes(annotation_file=file, label="person", **options).convert()


def test_an_item_a_box(tmp_path):
    file = annotation_file(
        tmp_path,
        image(
            "set/a.png",
            box(attributes(has_hat="T", is_male="F", has_bag="T")),
            box(attributes(colour="red"), label="car"),
            box(attributes(has_bag="\nT "), corners=("-3", "0", "7", "8")),
        ),
        image("empty.png"),
        image("b.png", box()),
    )
    annotations = converted(file)
    assert annotations.meta.label_map == {0: "is_male", 1: "has_bag", 2: "has_hat"}
    assert [(item.identifier, item.file) for item in annotations.items] == [
        ("a.png#0", "a.png"),
        ("a.png#1", "a.png"),
        ("b.png#0", "b.png"),
    ]
    values = [item.annotation.values for item in annotations.items]
    np.testing.assert_array_equal(values, [[0, 1, 1], [-1, 1, -1], [-1, -1, -1]])
    assert {array.dtype for array in values} == {np.dtype(np.int64)}
    assert annotations.items[0].region == (1.5, 2.0, 30.25, 40.0)
    assert annotations.items[1].region == (-3.0, 0.0, 7.0, 8.0)


@pytest.mark.parametrize("text", ["F", "", "t", "true", "N/A"])
def test_only_t_is_true(tmp_path, text):
    (item,) = converted(annotation_file(tmp_path, image("a.png", box(attributes(is_male=text))))).items
    np.testing.assert_array_equal(item.annotation.values, [0, -1, -1])


def test_other_shapes_are_no_objects(tmp_path):
    shape = '<polygon label="person" points="1,2;3,4;5,6"></polygon>'
    (item,) = converted(annotation_file(tmp_path, image("a.png", shape, box()))).items
    assert item.identifier == "a.png#0"


def test_where_images_lie(tmp_path):
    file = annotation_file(tmp_path, image("a.png", box()))
    assert converted(file).root == tmp_path
    assert converted(file, images_dir=tmp_path / "images").root == tmp_path / "images"


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([image("", box())], "an image without a name found; name its file"),
        (
            [image("a.png", box(attributes(has_wings="T")))],
            "image a.png: attribute 'has_wings' found, one of the label's is_male, has_bag, has_hat expected",
        ),
        (
            [image("a.png", box(corners=("1", "2", "x", "4")))],
            "image a.png: a box from ['1', '2'] to ['x', '4'] found, four numbers expected",
        ),
    ],
)
def test_what_cannot_be_read(tmp_path, images, message):
    file = annotation_file(tmp_path, image("good.png", box()), *images)
    with pytest.raises(DataError) as caught:
        converted(file)
    assert str(caught.value) == f"{file}:1:1: {message}"


def test_the_label_must_be_there(tmp_path):
    file = annotation_file(tmp_path)
    with pytest.raises(DataError, match=r"label 'dog' is not among its labels car, person$"):
        CvatMultilabelAttributes(annotation_file=file, label="dog").convert()
    file.write_text("<annotations><meta></meta></annotations>")
    with pytest.raises(DataError, match=r"label 'person' is not among its labels \(none\)$"):
        converted(file)


def test_the_label_needs_attributes(tmp_path):
    with pytest.raises(DataError, match=r"label 'person' has no attributes, at least one expected$"):
        converted(annotation_file(tmp_path, image("a.png", box()), names=[]))


def test_invalid_xml_is_named_with_its_place(tmp_path):
    file = tmp_path / "persons.xml"
    file.write_text("<annotations>\n <meta></annotations>")
    with pytest.raises(DataError) as caught:
        converted(file)
    assert caught.value.where == Position(file, 2, 10)
    assert caught.value.message == "invalid XML: mismatched tag: line 2, column 9; correct the file"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotation_file is not there: .*persons\.xml$"):
        converted(tmp_path / "persons.xml")
