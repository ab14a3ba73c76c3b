"""What the steps share that drop boxes which overlap surer ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ..boxes import nms
from ..types import Array, ScoredBoxes
from ._targets import Targeted

__all__ = ["Suppression"]


@dataclass(frozen=True, kw_only=True)
class Suppression(Targeted):
    """Base of the steps of non-maximum suppression; of equal scores the earlier box is the surer.

    Args:
        overlap: a box goes where it overlaps a surer one by more than this, from 0 to 1.
        include_boundaries: whether corners are pixels that belong to the box, so that it has x_max - x_min + 1 columns.
        keep_top_k: how many boxes are looked at, the surest; all where it is 0 or left out.
        use_min_area: whether the overlap is the part of the smaller box instead of the intersection over union.
    """

    overlap: Annotated[float, Field(ge=0, le=1)] = 0.5
    include_boundaries: bool = True
    keep_top_k: Annotated[int, Field(ge=0)] | None = None
    use_min_area: bool = False
    predictions = (ScoredBoxes,)

    def kept(self, value: ScoredBoxes, among: Array) -> Array:
        """Return which of the boxes with the indices `among`, in any order, are kept: their indices, ascending."""
        scores = value.scores[among]
        candidates = among[np.argsort(-scores, kind="stable")][: self.keep_top_k or None]
        border = int(self.include_boundaries)
        chosen = nms(value.boxes[candidates], value.scores[candidates], self.overlap, border, self.use_min_area)
        kept: Array = np.sort(candidates[chosen])
        return kept
