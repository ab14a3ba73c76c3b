"""Scores or labels of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import Array, Batch, Mask, MaskScores, Outputs, Prediction, Sample, Size

__all__ = ["Segmentation"]


@register("segmentation")
@dataclass(frozen=True, kw_only=True)
class Segmentation(Adapter):
    """An output (B, C, h, w) or (B, h, w, C) with scores of every pixel, or (B, h, w) or (B, 1, h, w) with labels.

    Classes come first unless only the last axis leaves an image of the input's proportions.

    Args:
        make_argmax: whether the class with the highest score becomes the label.
    """

    make_argmax: bool = False

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the scores or labels of each sample over its input, at the output's resolution.

        Raises:
            OutputError: the output has other axes, or not an entry a sample.
        """
        output = outputs.select()
        count = len(batch.samples)
        if (output.ndim == 2 and count == 1) or (output.ndim == 3 and count == 1 and output.shape[0] != 1):
            output = output[np.newaxis]
        if output.ndim not in (3, 4) or len(output) != count:
            raise OutputError(f"an output {output.shape} for a batch of {count} found, (B, C, H, W) expected")
        return [self._prediction(values, sample) for values, sample in zip(output, batch.samples, strict=True)]

    def _prediction(self, values: Array, sample: Sample) -> Prediction:
        if values.ndim == 2:
            return self._unrolled(values, sample)
        scores = _classes_first(values, sample)
        if len(scores) == 1:
            return _as_labels(scores[0])
        if self.make_argmax:
            return Mask(scores.argmax(axis=0), "input")
        return MaskScores(scores, "input")

    def _unrolled(self, values: Array, sample: Sample) -> Prediction:
        """Return labels (h, w), or the scores that (h w, C) stand for."""
        height, width = sample.input_size or (0, 0)
        if len(values) == height * width and values.shape != (height, width):
            return self._prediction(values.reshape(height, width, -1).transpose(2, 0, 1), sample)
        return _as_labels(values)


def _as_labels(values: Array) -> Mask:
    if values.dtype.kind == "f" and (values != np.floor(values)).any():
        raise OutputError(f"fractions in an output {values.shape} found, a label for every pixel expected")
    return Mask(values.astype(np.int64), "input")


def _classes_first(values: Array, sample: Sample) -> Array:
    """Return `values` (C, h, w), as PyTorch's models give them, or (h, w, C), where only that can be, as (C, h, w)."""
    if sample.input_size is None:
        return values
    first, last = (_misfit(sides, sample.input_size) for sides in (values.shape[1:], values.shape[:2]))
    # A reduction rounds each side by less than a pixel.
    rounding = sum(1 / side for side in sample.input_size)
    return values.transpose(2, 0, 1) if last < first > rounding else values


def _misfit(sides: tuple[int, ...], input_size: Size) -> float:
    """Return how far apart the factors are by which height and width of the input were reduced to `sides`."""
    height, width = (side / full for side, full in zip(sides, input_size, strict=True))
    return abs(height - width)
