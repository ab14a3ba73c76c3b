import numpy as np
import pytest

from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import (
    Boxes,
    InstanceMasks,
    Keypoints,
    Label,
    Named,
    Rle,
    ScoredBoxes,
    ScoredMasks,
    Text,
)


def test_what_is_not_given_is_zero_and_areas_are_the_boxes():
    boxes = Boxes(np.array([[0.0, 1, 4, 3], [2, 2, 3, 7]]), np.array([1, 2]))
    assert (boxes.difficult.tolist(), boxes.crowd.tolist(), boxes.areas.tolist()) == ([False] * 2, [False] * 2, [8, 5])
    assert Boxes(np.zeros((0, 4)), np.zeros(0, int)).areas.shape == (0,)
    assert len(boxes) == 2
    points = Keypoints(np.zeros((1, 3, 2)), np.zeros((1, 3)), np.zeros(1), np.array([[0.0, 0, 2, 2]]))
    assert (points.areas.tolist(), points.difficult.tolist()) == ([4], [False])
    masks = InstanceMasks((Rle((2, 2), b"04"),), np.zeros(1), np.array([[0.0, 0, 2, 3]]))
    assert (masks.areas.tolist(), masks.crowd.tolist()) == ([6], [False])


def test_arrays_are_of_one_length():
    with pytest.raises(OutputError) as boxes:
        ScoredBoxes(np.zeros((3, 4)), np.zeros(2, int), np.zeros(3))
    assert boxes.value.message == "3 boxes, 2 labels, 3 scores, 2 difficult found, as many of each expected"
    with pytest.raises(OutputError, match=r"^0 masks, 1 labels, 1 scores found, as many of each expected$"):
        ScoredMasks((), np.zeros(1, int), np.zeros(1))
    with pytest.raises(OutputError, match=r"^2 points, 1 visibility, 1 labels, 1 boxes, "):
        Keypoints(np.zeros((2, 3, 2)), np.zeros((1, 3)), np.zeros(1), np.zeros((1, 4)))


def test_objects_are_chosen_by_truth_or_index():
    boxes = ScoredBoxes(np.arange(12.0).reshape(3, 4), np.arange(3), np.array([0.1, 0.2, 0.3]), "input")
    chosen = boxes.where(np.array([True, False, True]))
    assert (chosen.labels.tolist(), chosen.scores.tolist(), chosen.frame) == ([0, 2], [0.1, 0.3], "input")
    assert boxes.where(np.array([2, 0])).labels.tolist() == [2, 0]
    masks = InstanceMasks((Rle((1, 1), b"a"), Rle((1, 1), b"b")), np.arange(2), np.zeros((2, 4)))
    assert masks.where(np.array([False, True])).masks == (Rle((1, 1), b"b"),)


def test_a_part_is_picked_by_its_class_or_name():
    named = Named({"age": Label(1), "name": Text("x"), "sex": Label(0)})
    assert named.pick((Text,)) == "name"
    assert named.pick((Label,), "sex") == "sex"
    with pytest.raises(OutputError) as several:
        named.pick((Label, Boxes))
    assert several.value.message == (
        "2 parts of type Label or Boxes found among age (Label), name (Text), sex (Label); name the one that is meant"
    )
    with pytest.raises(OutputError) as unknown:
        named.pick((Label,), "eyes")
    assert unknown.value.message == "no part is called 'eyes'; there are age (Label), name (Text), sex (Label)"
    assert dict(named.with_part("age", Label(5)).parts) == {"age": Label(5), "name": Text("x"), "sex": Label(0)}
