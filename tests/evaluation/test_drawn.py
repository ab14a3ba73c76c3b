"""Drawings of annotations and predictions."""

import numpy as np
import pytest

from pytest_torchlauncher.baselines.evidence import pack_evidence, unpack_evidence
from pytest_torchlauncher.evaluation.drawn import drawing_of
from pytest_torchlauncher.types import (
    FULL,
    NO_CLASS,
    Boxes,
    Keypoints,
    Label,
    Landmarks,
    Mask,
    MaskScores,
    Named,
    ScoredBoxes,
    Scores,
    Text,
    Values,
)

SIZE = (50, 100)


def test_boxes_are_shares_of_the_image_the_surest_first():
    boxes = np.array([[0, 0, 100, 50], [25, 10, 50, 60]], dtype=np.float64)
    drawing = drawing_of(ScoredBoxes(boxes, np.array([3, 7]), np.array([0.25, 0.916])), SIZE)
    assert drawing.labels.tolist() == [7, 3]
    assert drawing.scores.tolist() == [92, 25]
    quarter, half = round(FULL / 4), round(FULL / 2)
    # What lies outside the image moves to its edge.
    assert drawing.boxes.tolist() == [[quarter, round(FULL / 5), half, FULL], [0, 0, FULL, FULL]]


def test_at_most_twenty_boxes_are_drawn():
    scores = np.arange(30) / 30
    drawing = drawing_of(ScoredBoxes(np.zeros((30, 4)), np.arange(30), scores), SIZE)
    assert drawing.labels.tolist() == list(range(29, 9, -1))


def test_annotated_boxes_are_certain():
    drawing = drawing_of(Boxes(np.array([[0.0, 0, 10, 10]]), np.array([1])), SIZE)
    assert drawing.scores.tolist() == [100]


def test_points():
    face = drawing_of(Landmarks(np.array([[50.0, 25.0], [np.nan, 0]])), SIZE)
    assert face.points.tolist() == [[round(FULL / 2), round(FULL / 2)], [0, 0]]
    points = np.array([[[10.0, 10], [20, 20]]])
    people = Keypoints(points, np.array([[2, 0]]), np.array([1]), np.zeros((1, 4)))
    assert len(drawing_of(people, SIZE).points) == 1


def test_a_mask_is_coarse():
    labels = np.zeros((200, 400), dtype=np.int64)
    labels[:, 200:] = 5
    labels[100:, :] = -1
    mask = drawing_of(Mask(labels), (200, 400)).mask
    assert mask.shape == (24, 48)
    assert np.unique(mask[:12, :24]).tolist() == [0]
    assert np.unique(mask[:12, 24:]).tolist() == [5]
    assert np.unique(mask[12:]).tolist() == [NO_CLASS]


def test_a_mask_of_scores_is_that_of_its_labels():
    values = np.random.default_rng(1).random((4, 37, 90))
    values[:, 3, 5] = np.nan
    scores = MaskScores(values)
    np.testing.assert_array_equal(drawing_of(scores, (37, 90)).mask, drawing_of(Mask(scores.labels), (37, 90)).mask)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (49, 48), (3, 3)])
def test_masks_of_any_shape(shape):
    mask = drawing_of(Mask(np.ones(shape, dtype=np.int64)), shape).mask
    assert max(mask.shape) <= 48
    assert (mask == 1).all()
    assert mask.size


def test_numbers_and_texts_are_written_out():
    assert drawing_of(Values(np.array([1.23456789, -2])), None).text == "1.235, -2"
    assert drawing_of(Values(np.arange(9.0)), None).text == "0, 1, 2, 3, …"
    assert drawing_of(Text("x" * 500), None).text == "x" * 80


def test_what_is_not_drawn():
    assert drawing_of(Label(1), SIZE) is None
    assert drawing_of(Scores(np.zeros(3)), SIZE) is None
    assert drawing_of(ScoredBoxes(np.zeros((0, 4)), np.zeros(0), np.zeros(0), "input"), SIZE) is None
    assert drawing_of(Boxes(np.zeros((0, 4)), np.zeros(0)), None) is None
    assert drawing_of(Mask(np.zeros((3, 3, 3))), SIZE) is None
    assert drawing_of("anything", SIZE) is None


def test_of_several_the_first_that_can_be():
    parts = Named({"class": Label(1), "text": Text("seven")})
    assert drawing_of(parts, SIZE).text == "seven"


def test_drawings_are_kept_as_evidence():
    drawings = [
        drawing_of(ScoredBoxes(np.array([[0.0, 0, 9, 9]]), np.array([1]), np.array([0.5])), SIZE),
        None,
        drawing_of(Mask(np.ones((60, 60), dtype=np.int64)), (60, 60)),
    ]
    boxes, nothing, mask = unpack_evidence(pack_evidence(drawings))
    assert nothing is None
    np.testing.assert_array_equal(boxes.boxes, drawings[0].boxes)
    np.testing.assert_array_equal(mask.mask, drawings[2].mask)
