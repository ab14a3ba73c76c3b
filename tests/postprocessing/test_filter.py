"""The filter step."""

from __future__ import annotations

import numpy as np
import pytest
from box_pairs import annotated, annotation_after, nothing, predicted, prediction_after

from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.postprocessing.filter import Filter

MINIMAL = {"filter": {"apply_to": "all"}}
# Widths 10, 20, 30, 40 and heights 20, 10, 5, 0.
BOXES = [[0, 0, 10, 20], [0, 0, 20, 10], [0, 0, 30, 5], [0, 0, 40, 0]]


def step(**options):
    return construct(Filter, {"apply_to": "all", **options}, Context())


SHAPES = [
    ({}, []),
    ({"labels": 2}, [1]),
    ({"labels": [1, 4]}, [0, 3]),
    ({"height_range": 10}, [2, 3]),
    ({"height_range": "10"}, [2, 3]),
    ({"height_range": "5, 20"}, [0, 3]),
    ({"height_range": "(5, 20)"}, [0, 3]),
    ({"height_range": [5, 20]}, [0, 3]),
    ({"height_range": "5, 0"}, [3]),
    ({"width_range": [20, 40]}, [0, 3]),
    ({"width_range": "20.5,"}, [0, 1]),
    ({"area_range": "150.5, 200.5"}, [2, 3]),
    ({"aspect_ratio": [0.5, 2]}, [0, 2, 3]),
    ({"is_empty": True}, [3]),
    ({"is_empty": False}, []),
    ({"labels": 1, "height_range": 10, "width_range": 20}, [0, 2, 3]),
    ({"min_visibility": "visible"}, []),
]


@pytest.mark.parametrize(("options", "filtered"), SHAPES)
def test_both_sides(options, filtered):
    left = [i for i in range(4) if i not in filtered]
    for after, boxes in (
        (prediction_after, predicted(BOXES, labels=[1, 2, 3, 4])),
        (annotation_after, annotated(BOXES, labels=[1, 2, 3, 4])),
    ):
        aside = after(step(**options), boxes)
        assert np.flatnonzero(aside.difficult).tolist() == filtered
        assert aside.boxes.tolist() == BOXES
        removed = after(step(**options, remove_filtered=True), boxes)
        assert removed.boxes.tolist() == [BOXES[i] for i in left]
        assert not removed.difficult.any()


def test_what_was_set_aside_stays_so():
    boxes = prediction_after(step(labels=1), predicted(BOXES, labels=[1, 2, 3, 4]))
    assert prediction_after(step(labels=3), boxes).difficult.tolist() == [True, False, True, False]
    assert boxes.difficult.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("options", "filtered"),
    [
        ({"min_confidence": 0.5}, [0, 2]),
        ({"min_confidence": 0.0}, []),
        ({"top_k": 2}, [0, 2]),
        ({"top_k": 1}, [0, 2, 3]),
        ({"top_k": 0}, [0, 1, 2, 3]),
        ({"top_k": 9}, []),
        ({"top_k": 1, "labels": 2}, [0, 1, 2]),
        ({"top_k": 3, "min_confidence": 0.3}, [0]),
    ],
)
def test_scores_are_those_of_predictions(options, filtered):
    boxes = predicted(BOXES, labels=[1, 2, 3, 4], scores=[0.2, 0.5, 0.4, 0.5])
    assert np.flatnonzero(prediction_after(step(**options), boxes).difficult).tolist() == filtered
    labels = [1] if "labels" in options else []
    annotation = annotation_after(step(**options), annotated(BOXES, labels=[1, 2, 3, 4]))
    assert np.flatnonzero(annotation.difficult).tolist() == labels


def test_of_equal_scores_the_earlier_stays():
    boxes = predicted(BOXES, scores=[0.5] * 4)
    assert prediction_after(step(top_k=2), boxes).difficult.tolist() == [False, False, True, True]


def test_the_part_of_the_image_is_that_of_annotations():
    # Square roots of 200, 200, 150 and 0 of 40 x 80 px.
    option = {"area_ratio": [0.22, 0.3]}
    assert annotation_after(step(**option), annotated(BOXES)).difficult.tolist() == [False, False, True, True]
    assert not prediction_after(step(**option), predicted(BOXES)).difficult.any()


def test_the_part_of_the_image_needs_one():
    with pytest.raises(OutputError, match=r"^area_ratio for a sample that is no image found, an image expected$"):
        annotation_after(step(area_ratio=0.1), annotated(BOXES), nothing())


def test_coordinates_that_are_no_numbers():
    boxes = predicted([[0, 0, 1, 1], [np.nan, 0, 1, 1], [0, -np.inf, 1, np.inf], [0, 0, 1, np.inf]])
    assert prediction_after(step(invalid_boxes=True), boxes).difficult.tolist() == [False, True, True, True]
    assert not prediction_after(step(), boxes).difficult.any()
    assert prediction_after(step(height_range=0), boxes).difficult.tolist() == [False, False, False, False]
    assert prediction_after(step(width_range=0), boxes).difficult.tolist() == [False, True, False, False]


def test_a_box_of_no_width_is_very_high():
    boxes = predicted([[5, 0, 5, 10], [0, 5, 10, 5]])
    assert prediction_after(step(aspect_ratio=1), boxes).difficult.tolist() == [False, True]
    inverted = annotated([[5, 0, 0, 10]])
    assert annotation_after(step(area_ratio=0.01), inverted).difficult.tolist() == [True]


def test_no_boxes():
    for options in ({}, {"top_k": 1}, {"remove_filtered": True, "height_range": 1, "is_empty": True}):
        assert prediction_after(step(**options), predicted([])).boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a", "'a'"),
        ([1, 2, 3], "a list"),
        ([20, 10], "a list"),
        ("20, 10", "'20, 10'"),
        (True, "true"),
        ("", "''"),
        ([], "a list"),
        (None, "nothing"),
    ],
)
def test_what_is_no_range(value, found):
    with pytest.raises(ValueError, match="expected") as caught:
        step(width_range=value)
    assert f"{found} found, a least value expected, or a least and a greatest one" in str(caught.value)


def test_what_is_filtered_has_to_be_said():
    with pytest.raises(ValueError, match=r"^apply_to is missing; annotation, prediction or all expected$"):
        Filter()
    with pytest.raises(ValueError, match="'visible-ish' found, 'heavy occluded', 'partially occluded' or 'visible'"):
        step(min_visibility="visible-ish")
