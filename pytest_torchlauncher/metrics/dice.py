"""Dice coefficient."""

from __future__ import annotations

from dataclasses import dataclass

from ..registry import register
from ..types import Array
from ._confusion import ConfusionMetric, diagonal, mean, ratio

__all__ = ["Dice"]


@register("dice")
@dataclass(frozen=True, kw_only=True)
class Dice(ConfusionMetric):
    """The mean over the classes of twice the pixels that both masks give a class, by the sum of those that each does.

    It is the F1 score of the pixels; a class that neither mask has is left out. Dice, https://doi.org/10.2307/1932409.
    """

    def values(self, matrices: Array) -> Array:
        """Return the mean Dice coefficient (…) of `matrices` (…, C, C)."""
        return mean(self.by_class(matrices))

    def by_class(self, matrices: Array) -> Array:
        """Return the Dice coefficient (…, C) of each class."""
        return ratio(2 * diagonal(matrices), matrices.sum(axis=-1) + matrices.sum(axis=-2))
