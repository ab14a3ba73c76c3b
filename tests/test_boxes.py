"""Areas, overlaps and suppression of boxes against torchvision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from pytest_torchlauncher import boxes

random_data = settings(max_examples=40, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)


def random_boxes(rng, count):
    low = rng.integers(0, 12, (count, 2))
    return np.hstack([low, low + rng.integers(0, 8, (count, 2))]).astype(np.float64)


@random_data
@given(SEEDS, st.integers(0, 6), st.integers(0, 6), st.sampled_from([0, 1]))
def test_overlaps_agree_with_torchvision(seed, n, m, border):
    rng = np.random.default_rng(seed)
    first, second = random_boxes(rng, n), random_boxes(rng, m)
    # A border is one more column and row.
    left, right = (torch.from_numpy(some + np.array([0, 0, border, border])) for some in (first, second))
    np.testing.assert_array_equal(boxes.areas(first, border), ops.box_area(left))
    expected = np.nan_to_num(ops.box_iou(left, right).numpy())
    np.testing.assert_allclose(boxes.iou(first, second, border), expected, rtol=0, atol=1e-15)
    union = ops.box_area(left)[:, None] + ops.box_area(right)
    shared = boxes.intersections(first, second, border)
    np.testing.assert_allclose(shared, expected * (union.numpy() - shared), rtol=0, atol=1e-12)
    inside = boxes.ioa(first, second, border)
    np.testing.assert_allclose(inside * boxes.areas(first, border)[:, None], shared, rtol=0, atol=1e-12)
    assert inside.shape == (n, m)


def test_boxes_that_are_apart_share_nothing():
    first = np.array([[0.0, 0.0, 4.0, 4.0]])
    second = np.array([[9.0, 9.0, 12.0, 12.0], [6.0, 0.0, 8.0, 4.0], [5.0, 0.0, 8.0, 4.0], [4.0, 4.0, 8.0, 8.0]])
    assert boxes.intersections(first, second).tolist() == [[0, 0, 0, 0]]
    assert boxes.intersections(first, second, border=1).tolist() == [[0, 0, 0, 1]]


def test_a_box_that_ends_before_it_begins_is_empty():
    inverted = np.array([[4.0, 4.0, 0.0, 8.0]])
    whole = np.array([[0.0, 0.0, 9.0, 9.0]])
    assert boxes.areas(inverted).tolist() == [0]
    assert boxes.iou(inverted, whole).tolist() == [[0]]
    assert boxes.iou(inverted, inverted).tolist() == [[0]]
    assert boxes.ioa(inverted, whole).tolist() == [[0]]


def test_ioa_is_the_part_of_the_first():
    small, large = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 9.0, 8.0]])
    assert boxes.ioa(small, large).tolist() == [[0.5]]
    assert boxes.ioa(large, small).tolist() == [[2 / 64]]


@random_data
@given(SEEDS, st.integers(0, 12), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from([0, 1]))
def test_suppression_agrees_with_torchvision(seed, count, overlap, border):
    rng = np.random.default_rng(seed)
    some, scores = random_boxes(rng, count), rng.permutation(count) / 16
    expected = ops.nms(torch.from_numpy(some + np.array([0, 0, border, border])), torch.from_numpy(scores), overlap)
    kept = boxes.nms(some, scores, overlap, border)
    assert kept.dtype == np.int64
    np.testing.assert_array_equal(kept, expected)


def test_of_equal_scores_the_earlier_box_is_kept():
    same = np.array([[0.0, 0.0, 4.0, 4.0]] * 3)
    assert boxes.nms(same, np.array([0.5, 0.5, 0.5]), 0.5).tolist() == [0]
    assert boxes.nms(same, np.array([0.5, 0.7, 0.7]), 0.5).tolist() == [1]
    assert boxes.nms(same, np.array([0.5, 0.5, 0.5]), 1.0).tolist() == [0, 1, 2]


def test_the_overlap_with_the_smaller_box():
    nested = np.array([[0.0, 0.0, 10.0, 10.0], [1.0, 1.0, 3.0, 3.0], [9.0, 0.0, 11.0, 2.0]])
    scores = np.array([0.9, 0.8, 0.7])
    assert boxes.nms(nested, scores, 0.5).tolist() == [0, 1, 2]
    assert boxes.nms(nested, scores, 0.5, use_min_area=True).tolist() == [0, 2]
    assert boxes.nms(nested, scores, 0.49, use_min_area=True).tolist() == [0]


def test_whole_numbers_are_coordinates_too():
    whole = np.array([[0, 0, 4, 4], [0, 0, 4, 2]])
    np.testing.assert_array_equal(boxes.iou(whole, whole), [[1, 0.5], [0.5, 1]])
    np.testing.assert_array_equal(boxes.ioa(whole, whole), [[1, 0.5], [1, 1]])
    assert boxes.nms(whole, np.array([1, 2]), 0.4).tolist() == [1]


@pytest.mark.parametrize("border", [0, 1])
def test_no_boxes(border):
    none = np.zeros((0, 4))
    assert boxes.areas(none, border).shape == (0,)
    assert boxes.iou(none, none, border).shape == (0, 0)
    assert boxes.nms(none, np.zeros(0), 0.5, border).tolist() == []
