"""Detectors exported from torchvision or detectron: boxes, labels and scores as separate outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import Array, Batch, Outputs, Prediction, Sample, ScoredBoxes

__all__ = ["FasterRCNNOnnx"]


@register("faster_rcnn_onnx")
@dataclass(frozen=True, kw_only=True)
class FasterRCNNOnnx(Adapter):
    """Boxes (N, 4) in px of the input, labels (N,) and scores (N,) of one image, or of each in a list.

    Args:
        boxes_out: the output with the boxes; with a score in the fifth and a label in the sixth column where
            there are no outputs for them.
        labels_out: the output with the labels.
        scores_out: the output with the scores; needs `labels_out`.
    """

    boxes_out: str
    labels_out: str | None = None
    scores_out: str | None = None

    def __post_init__(self) -> None:
        """Check that the outputs go together.

        Raises:
            ValueError: there are scores without labels.
        """
        if self.scores_out and not self.labels_out:
            raise ValueError("scores_out found without labels_out; name that output too, or neither")

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the boxes of each sample in px of the original image.

        Raises:
            OutputError: an output is not there, or they are not those of one image a sample.
        """
        count = len(batch.samples)
        boxes = _by_sample(outputs, self.boxes_out, count, axes=2)
        scores = _by_sample(outputs, self.scores_out, count) if self.scores_out else [_column(b, 4) for b in boxes]
        labels = _by_sample(outputs, self.labels_out, count) if self.labels_out else [_column(b, 5) for b in boxes]
        return [_prediction(*parts) for parts in zip(boxes, labels, scores, batch.samples, strict=True)]


def _by_sample(outputs: Outputs, name: str, count: int, axes: int = 1) -> Sequence[Array]:
    """Return what the output `name` holds of each sample, of a single one also without the axis of the batch."""
    if count == 1 and (output := outputs.select(name)).ndim == axes:
        return [output]
    parts = outputs.by_sample(name)
    if len(parts) != count:
        raise OutputError(
            f"{name}: {len(parts)} entries for a batch of {count} found, one a sample expected; set batch: 1"
        )
    return parts


def _column(rows: Array, index: int) -> Array:
    if rows.ndim != 2 or rows.shape[1] <= index:
        raise OutputError(f"boxes {rows.shape} found, six columns expected without scores_out and labels_out")
    column: Array = rows[:, index]
    return column


def _prediction(boxes: Array, labels: Array, scores: Array, sample: Sample) -> ScoredBoxes:
    if boxes.ndim != 2 or boxes.shape[1] < 4 or not len(boxes) == labels.size == scores.size:
        raise OutputError(
            f"boxes {boxes.shape}, labels {labels.shape}, scores {scores.shape} found, (N, 4), (N,), (N,) expected"
        )
    if sample.geometry is None:
        raise OutputError(
            f"{sample.identifier}: how the input came from the original image is not known; "
            "let the dataset give images, not tensors"
        )
    return ScoredBoxes(
        sample.geometry.boxes_to_original(boxes[:, :4]),
        labels.reshape(-1).astype(np.int64),
        scores.reshape(-1).astype(np.float64),
    )
