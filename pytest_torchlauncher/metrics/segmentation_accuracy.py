"""Pixel accuracy."""

from __future__ import annotations

from dataclasses import dataclass

from ..registry import register
from ..types import Array
from ._confusion import ConfusionMetric, diagonal, ratio

__all__ = ["SegmentationAccuracy"]


@register("segmentation_accuracy")
@dataclass(frozen=True, kw_only=True)
class SegmentationAccuracy(ConfusionMetric):
    """The fraction of the pixels that count whose class is right: pixel accuracy."""

    def values(self, matrices: Array) -> Array:
        """Return the fraction (…) on the diagonals of `matrices` (…, C, C)."""
        return ratio(diagonal(matrices).sum(axis=-1), matrices.sum(axis=(-2, -1)))
