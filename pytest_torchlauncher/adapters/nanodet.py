"""NanoDet and NanoDet-Plus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ..boxes import nms
from ..errors import OutputError
from ..kinds import Adapter
from ..options import PositiveInt
from ..registry import register
from ..types import Array, Batch, Outputs, Prediction, ScoredBoxes, Size
from ._activations import softmax
from ._rows import rows

__all__ = ["NanoDet"]


@register("nanodet")
@dataclass(frozen=True, kw_only=True)
class NanoDet(Adapter):
    """One output (B, priors, classes + 4 (reg_max + 1)), https://github.com/RangiLyu/nanodet.

    The distances from a prior to the sides of its box are the means of distributions over 0 to `reg_max` strides
    (generalized focal loss, Li et al., https://arxiv.org/abs/2006.04388).

    Args:
        num_classes: columns that hold the probabilities of the classes.
        confidence_threshold: of a class's probability, above which a box counts.
        nms_threshold: overlap, within a class, above which the less probable box goes.
        max_detections: boxes of an image that stay, the most probable ones.
        reg_max: the longest distance in strides.
        strides: of the levels of the feature pyramid, px.
        is_legacy: whether priors lie in the middle of their cells, else in the upper left corner.
    """

    num_classes: PositiveInt = 80
    confidence_threshold: float = 0.05
    nms_threshold: float = 0.6
    max_detections: PositiveInt = 100
    reg_max: PositiveInt = 7
    strides: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (8, 16, 32)
    is_legacy: bool = False

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the boxes of each sample in px of the input.

        Raises:
            OutputError: the output has other sizes than classes, `reg_max`, strides and the input ask for.
        """
        output = rows(outputs.select(), len(batch.samples))
        return [
            self._detections(row.astype(np.float64), sample.input_size)
            for row, sample in zip(output, batch.samples, strict=True)
        ]

    def _detections(self, output: Array, size: Size | None) -> ScoredBoxes:
        if size is None:
            raise OutputError("a sample that is no image found, one whose size is known expected")
        priors = self._priors(size)
        columns = self.num_classes + 4 * (self.reg_max + 1)
        if output.shape != (len(priors), columns):
            raise OutputError(
                f"an output {output.shape} a sample found, {(len(priors), columns)} expected for an input of "
                f"{size[1]}x{size[0]}, {self.num_classes} classes and reg_max {self.reg_max}"
            )
        boxes, scores = self._boxes(output[:, self.num_classes :], priors, size), output[:, : self.num_classes]
        found = [self._of_class(boxes, scores[:, label], label) for label in range(self.num_classes)]
        boxes, scores, labels = (np.concatenate(parts) for parts in zip(*found, strict=True))
        best = np.argsort(-scores, kind="stable")[: self.max_detections]
        return ScoredBoxes(boxes[best], labels[best], scores[best], "input")

    def _priors(self, size: Size) -> Array:
        """Return x, y and stride (P, 3) of all priors, level by level and row by row."""
        levels = []
        for stride in self.strides:
            offset = 0.5 if self.is_legacy else 0.0
            y, x = ((np.arange(math.ceil(side / stride)) + offset) * stride for side in size)
            y, x = np.meshgrid(y, x, indexing="ij")
            levels.append(np.stack([x, y, np.full_like(x, stride)], axis=-1).reshape(-1, 3))
        return np.concatenate(levels)

    def _boxes(self, distributions: Array, priors: Array, size: Size) -> Array:
        steps = softmax(distributions.reshape(-1, 4, self.reg_max + 1)) @ np.arange(self.reg_max + 1)
        distances = steps * priors[:, 2:]
        corners = np.concatenate([priors[:, :2] - distances[:, :2], priors[:, :2] + distances[:, 2:]], axis=1)
        height, width = size
        clipped: Array = corners.clip(0, (width, height, width, height))
        return clipped

    def _of_class(self, boxes: Array, scores: Array, label: int) -> tuple[Array, Array, Array]:
        sure = np.flatnonzero(scores > self.confidence_threshold)
        kept = sure[nms(boxes[sure], scores[sure], self.nms_threshold, border=1)]
        return boxes[kept], scores[kept], np.full(len(kept), label, dtype=np.int64)
