"""Non-maximum suppression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Pair, ScoredBoxes
from ._suppression import Suppression

__all__ = ["Nms"]


@register("nms")
@dataclass(frozen=True, kw_only=True)
class Nms(Suppression):
    """Drops boxes that overlap a surer one, whatever their classes."""

    def change(self, value: ScoredBoxes, pair: Pair) -> ScoredBoxes:
        """Return the boxes that are kept, in their order."""
        kept: ScoredBoxes = value.where(self.kept(value, np.arange(len(value))))
        return kept
