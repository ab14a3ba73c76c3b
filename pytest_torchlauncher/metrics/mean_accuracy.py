"""Mean class accuracy."""

from __future__ import annotations

from dataclasses import dataclass

from ..registry import register
from ..types import Array
from ._confusion import ConfusionMetric, diagonal, mean, ratio

__all__ = ["MeanAccuracy"]


@register("mean_accuracy")
@dataclass(frozen=True, kw_only=True)
class MeanAccuracy(ConfusionMetric):
    """The mean over the annotated classes of the fraction of a class's pixels that are right."""

    def values(self, matrices: Array) -> Array:
        """Return the mean accuracy (…) of `matrices` (…, C, C)."""
        return mean(self.by_class(matrices))

    def by_class(self, matrices: Array) -> Array:
        """Return the accuracy (…, C) of each class."""
        return ratio(diagonal(matrices), matrices.sum(axis=-1))
