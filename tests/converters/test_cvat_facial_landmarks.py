"""The cvat_facial_landmarks converter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.converters.cvat_facial_landmarks import CvatFacialLandmarks
from pytest_torchlauncher.errors import DataError, MissingDataError, Position

MINIMAL = {"cvat_facial_landmarks": {"annotation_file": "faces.xml"}}


def point(label, text):
    return f'<points label="{label}" occluded="0" points="{text}"></points>'


def image(name, *points):
    return f'<image id="0" name="{name}" width="64" height="48">{"".join(points)}</image>'


def annotation_file(folder, count, *images):
    labels = "".join(f"<label><name>{index}</name></label>" for index in range(count))
    text = (
        f"<annotations><meta><task><size>9</size><labels>{labels}</labels></task></meta>{''.join(images)}</annotations>"
    )
    file = folder / "faces.xml"
    file.write_text(text)
    return file


def converted(file, **options):
    return CvatFacialLandmarks(annotation_file=file, **options).convert()


def face(shift=0.0):
    """Return five points in another order than that of their labels."""
    return [point(label, f"{10 * label + shift},{label + 0.25}") for label in (3, 0, 4, 1, 2)]


def test_labels_are_indices_whatever_their_order(tmp_path):
    file = annotation_file(tmp_path, 5, image("val/b.png", *face()), image("a.png", *face(shift=0.5)))
    annotations = converted(file)
    assert [item.identifier for item in annotations.items] == ["b.png", "a.png"]
    for item, shift in zip(annotations.items, (0, 0.5), strict=True):
        assert item.annotation.frame == "original"
        assert item.annotation.points.dtype == np.float64
        np.testing.assert_array_equal(
            item.annotation.points, [[10 * label + shift, label + 0.25] for label in range(5)]
        )


def test_the_first_four_landmarks_are_those_of_the_eyes(tmp_path):
    (item,) = converted(annotation_file(tmp_path, 5, image("a.png", *face()))).items
    assert item.annotation.eyes == ((1, 0), (2, 3))


def test_of_fewer_landmarks_the_eyes_are_not_known(tmp_path):
    points = [point(label, "1,2") for label in range(3)]
    (item,) = converted(annotation_file(tmp_path, 3, image("a.png", *points))).items
    assert item.annotation.eyes == ((), ())


def test_other_shapes_are_no_landmarks(tmp_path):
    box = '<box label="face" xtl="0" ytl="0" xbr="9" ybr="9"></box>'
    (item,) = converted(annotation_file(tmp_path, 5, image("a.png", box, *face()))).items
    assert item.annotation.points.shape == (5, 2)


def test_where_images_lie(tmp_path):
    file = annotation_file(tmp_path, 5, image("a.png", *face()))
    assert converted(file).root == tmp_path
    assert converted(file, images_dir=tmp_path / "images").root == tmp_path / "images"


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([point(0, "1,2")], "points labelled 0 found, one for each of the 2 labels 0 to 1 expected"),
        ([], "points labelled nothing found, one for each of the 2 labels 0 to 1 expected"),
        (
            [point(0, "1,2"), point(0, "1,2"), point(1, "1,2")],
            "points labelled 0, 0, 1 found, one for each of the 2 labels 0 to 1 expected",
        ),
        (
            [point(0, "1,2"), point("nose", "1,2")],
            "points labelled 0, nose found, one for each of the 2 labels 0 to 1 expected",
        ),
        ([point(0, "1,2"), point(1, "1,2;3,4")], "points '1,2;3,4' found, one point 'x,y' expected"),
        ([point(0, "1"), point(1, "1,2")], "points '1' found, one point 'x,y' expected"),
    ],
)
def test_every_landmark_is_needed_once(tmp_path, points, message):
    file = annotation_file(tmp_path, 2, image("good.png", point(0, "1,2"), point(1, "1,2")), image("a.png", *points))
    with pytest.raises(DataError) as caught:
        converted(file)
    assert str(caught.value) == f"{file}:1:1: image a.png: {message}"


def test_an_image_needs_a_name(tmp_path):
    file = annotation_file(tmp_path, 5, image("", *face()))
    with pytest.raises(DataError, match=r"an image without a name found; name its file$"):
        converted(file)


def test_invalid_xml_is_named_with_its_place(tmp_path):
    file = tmp_path / "faces.xml"
    file.write_text("<annotations>\n <meta></annotations>")
    with pytest.raises(DataError) as caught:
        converted(file)
    assert caught.value.where == Position(file, 2, 10)
    assert caught.value.message == "invalid XML: mismatched tag: line 2, column 9; correct the file"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotation_file is not there: .*faces\.xml$"):
        converted(tmp_path / "faces.xml")
