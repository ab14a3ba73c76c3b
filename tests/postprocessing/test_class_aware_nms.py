"""The class_aware_nms step against torchvision."""

from __future__ import annotations

import numpy as np
import torch
from box_pairs import predicted, prediction_after
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from pytest_torchlauncher.postprocessing.class_aware_nms import ClassAwareNms

SAME = [[0, 0, 10, 10]] * 5


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, 0.5]))
def test_agrees_with_torchvision(seed, overlap):
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 16)
    low = rng.integers(0, 12, (count, 2))
    boxes = np.hstack([low, low + rng.integers(1, 8, (count, 2))])
    prediction = predicted(boxes, rng.integers(1, 4, count), rng.permutation(count) / 16)
    tensors = map(torch.from_numpy, (prediction.boxes, prediction.scores, prediction.labels))
    expected = np.sort(ops.batched_nms(*tensors, overlap).numpy())
    result = prediction_after(ClassAwareNms(overlap=overlap, include_boundaries=False), prediction)
    np.testing.assert_array_equal(result.boxes, prediction.boxes[expected])
    np.testing.assert_array_equal(result.scores, prediction.scores[expected])


def test_other_classes_do_not_matter():
    prediction = predicted(SAME, labels=[2, 1, 2, 1, 3], scores=[0.1, 0.2, 0.3, 0.2, 0.5])
    result = prediction_after(ClassAwareNms(), prediction)
    assert (result.labels.tolist(), result.scores.tolist()) == ([1, 2, 3], [0.2, 0.3, 0.5])


def test_the_surest_of_each_class_are_looked_at():
    apart = [[20 * i, 0, 20 * i + 9, 9] for i in range(5)]
    result = prediction_after(ClassAwareNms(keep_top_k=2), predicted(apart, labels=[1, 1, 1, 2, 1]))
    assert result.boxes[:, 0].tolist() == [0, 20, 60]


def test_no_boxes():
    assert prediction_after(ClassAwareNms(), predicted([])).boxes.shape == (0, 4)
