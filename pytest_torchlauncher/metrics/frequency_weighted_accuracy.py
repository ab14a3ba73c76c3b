"""Frequency weighted intersection over union."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Array
from ._confusion import ConfusionMetric, ratio

__all__ = ["FrequencyWeightedAccuracy"]


@register("frequency_weighted_accuracy")
@dataclass(frozen=True, kw_only=True)
class FrequencyWeightedAccuracy(ConfusionMetric):
    """The intersection over union of each class weighted by the part of all pixels that are annotated as it.

    Long et al., https://arxiv.org/abs/1411.4038, who call it frequency weighted IU.
    """

    def value(self, matrix: Array) -> float:
        """Return the weighted intersection over union of `matrix` (C, C)."""
        shared, annotated = np.diag(matrix), matrix.sum(axis=1)
        union = ratio(shared, annotated + matrix.sum(axis=0) - shared)
        return float(ratio(np.nansum(union * annotated), annotated.sum()))
