"""Frequency weighted intersection over union."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Array
from ._confusion import ConfusionMetric, diagonal, ratio

__all__ = ["FrequencyWeightedAccuracy"]


@register("frequency_weighted_accuracy")
@dataclass(frozen=True, kw_only=True)
class FrequencyWeightedAccuracy(ConfusionMetric):
    """The intersection over union of each class weighted by the part of all pixels that are annotated as it.

    Long et al., https://arxiv.org/abs/1411.4038, who call it frequency weighted IU.
    """

    def values(self, matrices: Array) -> Array:
        """Return the weighted intersection over union (…) of `matrices` (…, C, C)."""
        shared, annotated = diagonal(matrices), matrices.sum(axis=-1)
        union = ratio(shared, annotated + matrices.sum(axis=-2) - shared)
        return ratio(np.nansum(union * annotated, axis=-1), annotated.sum(axis=-1))
