"""Mean class accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Array
from ._confusion import ConfusionMetric, mean, ratio

__all__ = ["MeanAccuracy"]


@register("mean_accuracy")
@dataclass(frozen=True, kw_only=True)
class MeanAccuracy(ConfusionMetric):
    """The mean over the annotated classes of the fraction of a class's pixels that are right."""

    def value(self, matrix: Array) -> float:
        """Return the mean accuracy of `matrix` (C, C)."""
        return mean(self.by_class(matrix))

    def by_class(self, matrix: Array) -> Array:
        """Return the accuracy (C,) of each class."""
        return ratio(np.diag(matrix), matrix.sum(axis=1))
