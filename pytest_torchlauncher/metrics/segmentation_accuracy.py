"""Pixel accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Array
from ._confusion import ConfusionMetric, ratio

__all__ = ["SegmentationAccuracy"]


@register("segmentation_accuracy")
@dataclass(frozen=True, kw_only=True)
class SegmentationAccuracy(ConfusionMetric):
    """The fraction of the pixels that count whose class is right: pixel accuracy."""

    def value(self, matrix: Array) -> float:
        """Return the fraction on the diagonal of `matrix` (C, C)."""
        return float(ratio(np.trace(matrix), matrix.sum()))
