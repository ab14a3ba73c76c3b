"""Boxes with whole coordinates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..registry import register
from ..types import Boxes, Pair, ScoredBoxes
from ._targets import Targeted

__all__ = ["CastToInt"]


@register("cast_to_int")
@dataclass(frozen=True, kw_only=True)
class CastToInt(Targeted):
    """Rounds the coordinates of boxes to whole numbers, which stay floats.

    Args:
        round_policy: nearest (halves to the even one), nearest_to_zero, lower or greater.
    """

    round_policy: Literal["nearest", "nearest_to_zero", "lower", "greater"] = "nearest"
    annotations = (Boxes,)
    predictions = (ScoredBoxes,)

    def change(self, value: Boxes | ScoredBoxes, pair: Pair) -> Boxes | ScoredBoxes:
        """Return the boxes rounded; the areas of annotations stay as they were annotated."""
        return replace(value, boxes=_ROUND[self.round_policy](value.boxes))


_ROUND = {"nearest": np.rint, "nearest_to_zero": np.trunc, "lower": np.floor, "greater": np.ceil}
