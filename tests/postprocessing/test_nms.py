"""The nms step against torchvision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from box_pairs import NO_BOXES, image, predicted, prediction_after
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.postprocessing.nms import Nms
from pytest_torchlauncher.types import Pair

THREE = [[0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10]]


def random_prediction(seed):
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 12)
    low = rng.integers(0, 12, (count, 2))
    boxes = np.hstack([low, low + rng.integers(1, 8, (count, 2))])
    return predicted(boxes, rng.integers(1, 4, count), rng.permutation(count) / 16)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, 0.5]), st.booleans())
def test_agrees_with_torchvision(seed, overlap, border):
    prediction = random_prediction(seed)
    wide = torch.from_numpy(prediction.boxes + np.array([0, 0, border, border]))
    expected = np.sort(ops.nms(wide, torch.from_numpy(prediction.scores), overlap).numpy())
    result = prediction_after(Nms(overlap=overlap, include_boundaries=border), prediction)
    np.testing.assert_array_equal(result.boxes, prediction.boxes[expected])
    np.testing.assert_array_equal(result.labels, prediction.labels[expected])
    np.testing.assert_array_equal(result.scores, prediction.scores[expected])


def test_the_order_stays():
    result = prediction_after(Nms(), predicted(THREE, scores=[0.2, 0.5, 0.9]))
    assert result.scores.tolist() == [0.5, 0.9]


def test_classes_do_not_matter():
    assert prediction_after(Nms(), predicted(THREE, labels=[1, 2, 3])).labels.tolist() == [1, 3]


def test_corners_are_pixels_by_default():
    halves = predicted([[0, 0, 9, 9], [0, 0, 9, 4]])
    assert len(prediction_after(Nms(overlap=0.5), halves)) == 2
    assert len(prediction_after(Nms(overlap=0.49), halves)) == 1
    assert len(prediction_after(Nms(overlap=0.45, include_boundaries=False), halves)) == 2


def test_of_equal_scores_the_earlier_is_kept():
    result = prediction_after(Nms(), predicted(THREE, labels=[1, 2, 3], scores=[0.5, 0.5, 0.5]))
    assert result.labels.tolist() == [1, 3]


@pytest.mark.parametrize(("keep", "left"), [(1, [1]), (2, [1]), (3, [1, 3]), (0, [1, 3]), (None, [1, 3])])
def test_only_the_surest_are_looked_at(keep, left):
    assert prediction_after(Nms(keep_top_k=keep), predicted(THREE, labels=[1, 2, 3])).labels.tolist() == left


def test_the_overlap_with_the_smaller_box():
    nested = predicted([[0, 0, 10, 10], [1, 1, 4, 4]])
    assert len(prediction_after(Nms(), nested)) == 2
    assert len(prediction_after(Nms(use_min_area=True), nested)) == 1


def test_no_boxes_and_the_annotation():
    pair = Nms().apply(Pair(NO_BOXES, predicted([]), image()))
    assert (len(pair.prediction), pair.prediction.boxes.shape) == (0, (0, 4))
    assert pair.annotation is NO_BOXES


def test_overlaps_are_fractions():
    with pytest.raises(ValueError, match=r"1\.5 found, at most 1\.0 expected"):
        construct(Nms, {"overlap": 1.5}, Context())
    with pytest.raises(ValueError, match="-1 found, at least 0 expected"):
        construct(Nms, {"keep_top_k": -1}, Context())


def test_a_name_on_the_other_side_leaves_nothing_out():
    twice = predicted([[0, 0, 5, 5]] * 2)
    step = construct(Nms, {"annotation_source": "boxes"}, Context())
    assert len(prediction_after(step, twice)) == 1
