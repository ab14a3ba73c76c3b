"""Dice coefficient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Array
from ._confusion import ConfusionMetric, mean, ratio

__all__ = ["Dice"]


@register("dice")
@dataclass(frozen=True, kw_only=True)
class Dice(ConfusionMetric):
    """The mean over the classes of twice the pixels that both masks give a class, by the sum of those that each does.

    It is the F1 score of the pixels; a class that neither mask has is left out. Dice, https://doi.org/10.2307/1932409.
    """

    def value(self, matrix: Array) -> float:
        """Return the mean Dice coefficient of `matrix` (C, C)."""
        return mean(self.by_class(matrix))

    def by_class(self, matrix: Array) -> Array:
        """Return the Dice coefficient (C,) of each class."""
        return ratio(2 * np.diag(matrix), matrix.sum(axis=1) + matrix.sum(axis=0))
