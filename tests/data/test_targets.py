import re

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from pytest_torchlauncher import rle
from pytest_torchlauncher.data.targets import annotation_of
from pytest_torchlauncher.types import (
    Attributes,
    Boxes,
    DepthMap,
    Image,
    InstanceMasks,
    Keypoints,
    Label,
    Landmarks,
    Mask,
    Matte,
    Named,
    Text,
    Values,
)


@pytest.mark.parametrize(
    ("target", "takes", "annotation"),
    [
        (3, [Label], Label(3)),
        (3, [], Label(3)),
        (np.int64(3), [Label], Label(3)),
        (torch.tensor(3), [], Label(3)),
        ("a word", [Text], Text("a word")),
        ("a word", [], Text("a word")),
        (Label(2), [Label], Label(2)),
    ],
)
def test_single_things(target, takes, annotation):
    assert annotation_of(target, takes) == annotation


@pytest.mark.parametrize(
    ("target", "takes", "kind"),
    [
        (2.5, [], Values),
        (2, [Values], Values),
        (torch.ones(4), [], Values),
        ([1.5, 2.5], [Values], Values),
        (np.ones((4, 5), np.int64), [], Mask),
        (torch.ones((4, 5), dtype=torch.int64), [Mask], Mask),
        (np.ones((4, 5)), [Matte], Matte),
        (np.ones((4, 5)), [DepthMap], DepthMap),
        (Picture.new("RGB", (5, 4)), [Image], Image),
        (Picture.new("L", (5, 4)), [Mask], Mask),
        ([0, 1, 1], [Attributes], Attributes),
        (np.ones((5, 2)), [Landmarks], Landmarks),
        (np.ones((3, 4, 3)), [Values, Image], Image),
    ],
)
def test_arrays_are_what_the_metrics_take(target, takes, kind):
    annotation = annotation_of(target, takes)
    assert type(annotation) is kind
    array = annotation.points if kind is Landmarks else annotation.labels if kind is Mask else annotation.values
    np.testing.assert_array_equal(array, np.asarray(target))


def test_objects_as_torchvision_trains_on_them():
    boxes = annotation_of({"boxes": torch.tensor([[0.0, 0, 4, 2]]), "labels": torch.tensor([3])}, [Boxes])
    assert isinstance(boxes, Boxes)
    assert (boxes.boxes.tolist(), boxes.labels.tolist(), boxes.areas.tolist()) == ([[0, 0, 4, 2]], [3], [8])
    none = annotation_of({"boxes": torch.zeros((0, 4)), "labels": torch.zeros(0, dtype=torch.int64)}, [Boxes])
    assert (none.boxes.shape, none.boxes.dtype, none.labels.dtype) == ((0, 4), np.float64, np.int64)


def test_objects_with_masks_and_keypoints_have_names():
    mask = torch.zeros((1, 5, 6), dtype=torch.uint8)
    mask[0, 1:3, 2:4] = 1
    target = {
        "boxes": torch.tensor([[2.0, 1, 4, 3]]),
        "labels": torch.tensor([1]),
        "masks": mask,
        "keypoints": torch.tensor([[[2.0, 1, 2], [3, 2, 0]]]),
        "iscrowd": torch.tensor([1]),
        "area": torch.tensor([3.5]),
        "image_id": 7,
    }
    named = annotation_of(target, [Boxes, InstanceMasks])
    assert isinstance(named, Named)
    masks, points = named.parts["segmentation_annotation"], named.parts["keypoints_annotation"]
    assert (masks.crowd.tolist(), masks.areas.tolist()) == ([True], [3.5])
    np.testing.assert_array_equal(rle.decode(masks.masks[0]), mask[0].bool())
    assert isinstance(points, Keypoints)
    assert (points.points.tolist(), points.visibility.tolist()) == ([[[2, 1], [3, 2]]], [[2, 0]])


def test_other_mappings_name_targets():
    named = annotation_of({"age": 31.5, "sex": 1}, [Values, Label])
    assert named.parts["sex"] == Label(1)
    assert named.parts["age"].values == 31.5


@pytest.mark.parametrize(
    ("target", "takes", "message"),
    [
        ("x", [Label], "has a target of type str; a class index (int) expected"),
        (True, [Label], "has a target of type bool; a class index (int) expected"),
        (0.5, [Label], "has a target of type float; a class index (int) expected"),
        (None, [], "has a target of type NoneType; a class index, array or mapping expected"),
        ({}, [], "has a target of type dict; a class index, array or mapping expected"),
        ({"a": object()}, [], "has a target of type dict; a class index, array or mapping expected"),
        ([[1], [1, 2]], [], "has a target of type list; a class index, array or mapping expected"),
        (np.ones(3), [Mask], "has a target of type ndarray; an array (H, W) of class indices expected"),
        (2, [Boxes, Text], "has a target of type int; a mapping of boxes and labels or text expected"),
        (Text("a"), [Label], "has a target of type Text; a class index (int) expected"),
        (
            {"boxes": np.zeros((2, 4)), "labels": np.zeros(1)},
            [Boxes],
            "has 1 labels beside boxes (2, 4) found, as many of both expected",
        ),
        ({"boxes": [[0, 0, 1, 1]], "labels": 1}, [Boxes], "has labels (); an array (N,) of numbers expected"),
        ({"boxes": [[0, 0, 1, 1]], "labels": ["cat"]}, [Boxes], "has labels list; an array (N,) of numbers expected"),
        (
            {"boxes": np.zeros((4, 5)), "labels": [1] * 4},
            [Boxes],
            "has boxes (4, 5); an array (N, 4) of numbers expected",
        ),
        (
            {"boxes": [[0, 0, 1, 1]], "labels": [1], "masks": None},
            [Boxes],
            "has masks NoneType; an array (N, H, W) of numbers expected",
        ),
        (
            {"boxes": [[0, 0, 1, 1]], "labels": [1], "keypoints": np.zeros((1, 5, 2))},
            [Boxes],
            "has keypoints (1, 5, 2); an array (N, K, 3) of numbers expected",
        ),
    ],
)
def test_anything_else_is_one_sentence(target, takes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        annotation_of(target, takes)


def test_a_target_that_requires_grad_and_one_without_objects():
    target = {"boxes": torch.ones((1, 4), requires_grad=True), "labels": torch.tensor([1])}
    assert annotation_of(target, [Boxes]).boxes.tolist() == [[1, 1, 1, 1]]
    assert annotation_of({"boxes": [], "labels": []}, [Boxes]).boxes.shape == (0, 4)
