"""Mean intersection over union."""

from __future__ import annotations

from dataclasses import dataclass

from ..registry import register
from ..types import Array
from ._confusion import ConfusionMetric, diagonal, mean, ratio

__all__ = ["MeanIou"]


@register("mean_iou")
@dataclass(frozen=True, kw_only=True)
class MeanIou(ConfusionMetric):
    """The mean over the classes of the pixels that both masks give a class, by those that at least one does.

    A class that neither mask has is left out; Everingham et al., https://doi.org/10.1007/s11263-014-0733-5.
    """

    def values(self, matrices: Array) -> Array:
        """Return the mean intersection over union (…) of `matrices` (…, C, C)."""
        return mean(self.by_class(matrices))

    def by_class(self, matrices: Array) -> Array:
        """Return the intersection over union (…, C) of each class."""
        shared = diagonal(matrices)
        return ratio(shared, matrices.sum(axis=-1) + matrices.sum(axis=-2) - shared)
