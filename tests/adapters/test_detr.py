"""The detr adapter against torch and torchvision."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.detr import DETR
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, Label, Outputs, Sample, ScoredBoxes

MINIMAL = {"detr": {"scores_out": "pred_logits", "boxes_out": "pred_boxes"}}


def adapted(logits, boxes, count, scores_out="pred_logits", boxes_out="pred_boxes"):
    samples = tuple(Sample(str(index), np.zeros((8, 8, 3)), Label(0)) for index in range(count))
    outputs = Outputs({"pred_logits": np.asarray(logits), "pred_boxes": np.asarray(boxes)})
    return DETR(scores_out=scores_out, boxes_out=boxes_out).adapt(outputs, Batch(samples))


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("queries", [1, 7])
def test_all_queries_of_every_sample(count, queries):
    import torch
    from torchvision.ops import box_convert

    rng = np.random.default_rng(count)
    logits = (rng.standard_normal((count, queries, 5)) * 4).astype(np.float32)
    boxes = rng.random((count, queries, 4)).astype(np.float32)
    scores, labels = torch.from_numpy(logits).double().softmax(-1)[..., :-1].max(-1)
    corners = box_convert(torch.from_numpy(boxes).double(), "cxcywh", "xyxy")
    found = adapted(logits, boxes, count)
    assert len(found) == count
    for index, prediction in enumerate(found):
        assert (type(prediction), prediction.frame) == (ScoredBoxes, "normalized")
        assert (prediction.boxes.dtype, prediction.scores.dtype) == (np.float64, np.float64)
        assert prediction.labels.dtype == np.int64
        np.testing.assert_array_equal(prediction.labels, labels[index])
        np.testing.assert_allclose(prediction.scores, scores[index], rtol=1e-12)
        np.testing.assert_allclose(prediction.boxes, corners[index], rtol=1e-12, atol=1e-12)


def test_the_last_class_is_no_object():
    (prediction,) = adapted([[[0.0, 1.0, 9.0]]], [[[0.5, 0.5, 1.0, 1.0]]], 1)
    assert prediction.labels.tolist() == [1]
    assert prediction.scores[0] == pytest.approx(np.exp(-8) / (1 + np.exp(-8) + np.exp(-9)))


def test_large_logits_do_not_overflow():
    (prediction,) = adapted([[[1000.0, 0.0, 0.0]]], [[[0.5, 0.5, 1.0, 1.0]]], 1)
    assert (prediction.labels.tolist(), prediction.scores.tolist()) == ([0], [1.0])


def test_without_queries_nothing_is_found():
    (prediction,) = adapted(np.zeros((1, 0, 4)), np.zeros((1, 0, 4)), 1)
    assert (prediction.boxes.shape, prediction.labels.shape) == ((0, 4), (0,))


def test_outputs_are_chosen_by_expression_too():
    (prediction,) = adapted([[[1.0, 0.0]]], [[[0.5, 0.5, 1.0, 1.0]]], 1, scores_out=".*logits", boxes_out=".*boxes")
    assert prediction.labels.tolist() == [0]
    with pytest.raises(OutputError, match=r"^no output is named 'logits'; the module returned pred_logits "):
        adapted([[[1.0, 0.0]]], [[[0.5, 0.5, 1.0, 1.0]]], 1, scores_out="logits")


@pytest.mark.parametrize(
    ("logits", "boxes"),
    [
        ((2, 3), (2, 3, 4)),
        ((2, 3, 1), (2, 3, 4)),
        ((2, 3, 9), (2, 4, 4)),
        ((2, 3, 9), (2, 3, 5)),
        ((3, 3, 9), (3, 3, 4)),
    ],
)
def test_shapes_that_do_not_fit(logits, boxes):
    with pytest.raises(OutputError) as caught:
        adapted(np.zeros(logits), np.zeros(boxes), 2)
    assert str(caught.value) == (f"logits {logits} and boxes {boxes} found, (B, Q, C + 1) and (B, Q, 4) of 2 expected")
