"""Non-maximum suppression class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Pair, ScoredBoxes
from ._suppression import Suppression

__all__ = ["ClassAwareNms"]


@register("class_aware_nms")
@dataclass(frozen=True, kw_only=True)
class ClassAwareNms(Suppression):
    """Drops boxes that overlap a surer one of their class; `keep_top_k` is of each class."""

    def change(self, value: ScoredBoxes, pair: Pair) -> ScoredBoxes:
        """Return the boxes that are kept, in their order."""
        keep = np.zeros(len(value), dtype=bool)
        for label in np.unique(value.labels):
            keep[self.kept(value, np.flatnonzero(value.labels == label))] = True
        kept: ScoredBoxes = value.where(keep)
        return kept
