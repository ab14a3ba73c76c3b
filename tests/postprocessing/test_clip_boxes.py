"""The clip_boxes step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from box_pairs import annotated, annotation_after, image, nothing, predicted, prediction_after

from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.postprocessing.clip_boxes import ClipBoxes
from pytest_torchlauncher.types import Geometry

MINIMAL = {"clip_boxes": {"apply_to": "all"}}
OUTSIDE = [[-5, -6, 90, 50], [1, 2, 3, 4], [85, 45, 95, 60]]


def test_the_border_belongs_to_the_image():
    result = prediction_after(ClipBoxes(apply_to="prediction"), predicted(OUTSIDE))
    assert result.boxes.tolist() == [[0, 0, 80, 40], [1, 2, 3, 4], [80, 40, 80, 40]]
    assert (len(result.scores), result.frame) == (3, "original")


def test_annotations_keep_their_areas():
    annotation = replace(annotated(OUTSIDE), areas=np.array([7.0, 8.0, 9.0]))
    result = annotation_after(ClipBoxes(apply_to="annotation"), annotation)
    assert result.boxes.tolist() == [[0, 0, 80, 40], [1, 2, 3, 4], [80, 40, 80, 40]]
    assert result.areas.tolist() == [7, 8, 9]


@pytest.mark.parametrize(
    ("options", "clipped"),
    [
        ({"size": 30}, [0, 0, 30, 30]),
        ({"dst_width": 60}, [0, 0, 60, 40]),
        ({"dst_height": 10}, [0, 0, 80, 10]),
        ({"dst_width": 60, "dst_height": 10}, [0, 0, 60, 10]),
        ({"boxes_normalized": True}, [0, 0, 1, 1]),
    ],
)
def test_the_area_can_be_given(options, clipped):
    step = ClipBoxes(apply_to="all", **options)
    assert prediction_after(step, predicted(OUTSIDE[:1])).boxes.tolist() == [clipped]
    assert annotation_after(step, annotated(OUTSIDE[:1])).boxes.tolist() == [clipped]


@pytest.mark.parametrize(("frame", "clipped"), [("input", [0, 0, 16, 8]), ("normalized", [0, 0, 1, 1])])
def test_predictions_elsewhere_are_clipped_there(frame, clipped):
    sample = image().moved(np.zeros((8, 16, 3), np.uint8), Geometry.of((40, 80)).resized_to((8, 16)))
    step = ClipBoxes(apply_to="all")
    result = prediction_after(step, predicted(OUTSIDE[:1], frame=frame), sample)
    assert (result.boxes.tolist(), result.frame) == ([clipped], frame)
    assert annotation_after(step, annotated(OUTSIDE[:1]), sample).boxes.tolist() == [[0, 0, 80, 40]]


def test_no_boxes():
    assert prediction_after(ClipBoxes(apply_to="all"), predicted([])).boxes.shape == (0, 4)


def test_an_image_is_needed_unless_the_area_is_given():
    with pytest.raises(OutputError) as caught:
        prediction_after(ClipBoxes(apply_to="prediction", dst_width=5), predicted(OUTSIDE), nothing())
    assert str(caught.value) == (
        "boxes of a sample that is no image found, an image expected; or give size, or dst_width and dst_height"
    )
    result = prediction_after(ClipBoxes(apply_to="prediction", size=5), predicted(OUTSIDE[:1]), nothing())
    assert result.boxes.tolist() == [[0, 0, 5, 5]]


def test_what_is_clipped_has_to_be_said():
    with pytest.raises(ValueError, match=r"^apply_to is missing; annotation, prediction or all expected$"):
        ClipBoxes()
