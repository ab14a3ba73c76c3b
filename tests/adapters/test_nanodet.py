"""The nanodet adapter against a decoding prior by prior and the suppression of torchvision."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.adapters.nanodet import NanoDet
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import Batch, Label, Outputs, Sample, ScoredBoxes

STRIDES = (8, 16)


def adapted(output, size, count, **options):
    samples = tuple(Sample(str(index), np.zeros((*size, 3)), Label(0)) for index in range(count))
    found = NanoDet(**options).adapt(Outputs({"output": np.asarray(output)}), Batch(samples))
    for prediction in found:
        assert (type(prediction), prediction.frame) == (ScoredBoxes, "input")
        assert (prediction.boxes.dtype, prediction.scores.dtype) == (np.float64, np.float64)
        assert (prediction.labels.dtype, prediction.boxes.shape) == (np.int64, (len(prediction), 4))
    return found


def priors(size, strides, is_legacy):
    for stride in strides:
        for row in range(math.ceil(size[0] / stride)):
            for column in range(math.ceil(size[1] / stride)):
                offset = 0.5 if is_legacy else 0
                yield (column + offset) * stride, (row + offset) * stride, stride


def decoded(row, classes, reg_max, size, strides, is_legacy):
    """Return the boxes of all priors, one by one."""
    boxes = []
    for (x, y, stride), values in zip(priors(size, strides, is_legacy), row.tolist(), strict=True):
        sides = []
        for side in range(4):
            bins = values[classes + side * (reg_max + 1) : classes + (side + 1) * (reg_max + 1)]
            powers = [math.exp(value) for value in bins]
            sides.append(stride * sum(index * power for index, power in enumerate(powers)) / sum(powers))
        corners = x - sides[0], y - sides[1], x + sides[2], y + sides[3]
        limits = size[1], size[0], size[1], size[0]
        boxes.append([min(max(corner, 0), limit) for corner, limit in zip(corners, limits, strict=True)])
    return np.array(boxes)


def expected(row, classes, reg_max, size, is_legacy, confidence, overlap, most):
    import torch
    from torchvision.ops import batched_nms

    boxes = decoded(row, classes, reg_max, size, STRIDES, is_legacy)
    prior, label = np.nonzero(row[:, :classes] > confidence)
    scores = row[prior, label].astype(np.float64)
    # Boxes whose corners are pixels of them are as long as boxes of continuous corners with ends one further.
    ends = torch.from_numpy(boxes[prior] + [0, 0, 1, 1])
    kept = batched_nms(ends, torch.from_numpy(scores), torch.from_numpy(label), overlap).numpy()[:most]
    return boxes[prior[kept]], label[kept], scores[kept]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.integers(1, 3),
    st.tuples(st.integers(9, 60), st.integers(9, 60)),
    st.integers(1, 3),
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from([(0.05, 0.6, 100), (0.6, 0.1, 100), (0.3, 0.3, 4), (1.0, 0.5, 5)]),
    st.integers(0, 2**32 - 1),
)
def test_detections_of_every_sample(count, size, classes, reg_max, is_legacy, thresholds, seed):
    rng = np.random.default_rng(seed)
    total = sum(1 for _ in priors(size, STRIDES, is_legacy))
    output = rng.standard_normal((count, total, classes + 4 * (reg_max + 1))).astype(np.float32) * 3
    output[..., :classes] = rng.random((count, total, classes))
    confidence, overlap, most = thresholds
    found = adapted(
        output,
        size,
        count,
        num_classes=classes,
        reg_max=reg_max,
        strides=STRIDES,
        is_legacy=is_legacy,
        confidence_threshold=confidence,
        nms_threshold=overlap,
        max_detections=most,
    )
    assert len(found) == count
    for prediction, row in zip(found, output, strict=True):
        boxes, labels, scores = expected(row, classes, reg_max, size, is_legacy, confidence, overlap, most)
        np.testing.assert_array_equal(prediction.scores, scores)
        np.testing.assert_array_equal(prediction.labels, labels)
        np.testing.assert_allclose(prediction.boxes, boxes, rtol=0, atol=1e-9)


def test_the_defaults_are_those_of_coco_at_416():
    output = np.zeros((1, 52 * 52 + 26 * 26 + 13 * 13, 112), np.float32)
    output[0, 52 + 1, 17] = 0.5
    output[0, 52 + 1, 80:] = np.repeat(np.where(np.arange(8) == 1, 100, 0), 4).reshape(8, 4).T.ravel()
    (prediction,) = adapted(output, (416, 416), 1)
    assert (prediction.labels.tolist(), prediction.scores.tolist()) == ([17], [0.5])
    np.testing.assert_allclose(prediction.boxes, [[0, 0, 16, 16]], atol=1e-9)


def test_of_equal_scores_the_earlier_prior_goes_first():
    output = np.zeros((4, 1 + 8), np.float32)
    output[:, 0] = 0.5
    (prediction,) = adapted(output[np.newaxis], (16, 16), 1, num_classes=1, reg_max=1, strides=(8,), nms_threshold=1)
    np.testing.assert_array_equal(prediction.boxes, [[0, 0, 4, 4], [4, 0, 12, 4], [0, 4, 4, 12], [4, 4, 12, 12]])


def test_a_single_sample_may_come_without_the_axis_of_the_batch():
    (prediction,) = adapted(np.ones((4, 9)), (16, 16), 1, num_classes=1, reg_max=1, strides=(8,))
    assert len(prediction) == 4


def test_shapes_that_do_not_fit():
    with pytest.raises(OutputError) as caught:
        adapted(np.zeros((2, 4, 10)), (16, 24), 2, num_classes=1, reg_max=1, strides=(8,))
    assert str(caught.value) == (
        "an output (4, 10) a sample found, (6, 9) expected for an input of 24x16, 1 classes and reg_max 1"
    )
    with pytest.raises(OutputError, match=r"^1 rows for a batch of 2 found, \(2, …\) expected$"):
        adapted(np.zeros((1, 4, 9)), (16, 16), 2, num_classes=1, reg_max=1, strides=(8,))


def test_the_input_is_an_image():
    batch = Batch((Sample("0", np.zeros(3), Label(0)),))
    with pytest.raises(OutputError, match=r"^a sample that is no image found, one whose size is known expected$"):
        NanoDet().adapt(Outputs({"output": np.zeros((1, 4, 9))}), batch)


@pytest.mark.parametrize("option", ["num_classes", "max_detections", "reg_max"])
def test_counts_are_at_least_one(option):
    with pytest.raises(ValueError, match="0 found, at least 1 expected"):
        construct(NanoDet, {option: 0}, Context())


def test_a_stride_is_needed():
    with pytest.raises(ValueError, match="at least 1 item"):
        construct(NanoDet, {"strides": []}, Context())
