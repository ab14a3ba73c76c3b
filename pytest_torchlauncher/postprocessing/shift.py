"""Labels moved up or down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..registry import register
from ..types import Mask, Pair
from ._targets import Targeted

__all__ = ["Shift"]


@register("shift")
@dataclass(frozen=True, kw_only=True)
class Shift(Targeted):
    """Adds a number to every label: by -1 a background of 0 is no class any more. What is no class, below 0, stays.

    Args:
        shift_value: the number.
    """

    needs_target: ClassVar[bool] = True
    annotations: ClassVar[tuple[type, ...]] = (Mask,)
    predictions: ClassVar[tuple[type, ...]] = (Mask,)

    shift_value: int = 0

    def change(self, value: Any, pair: Pair) -> Any:
        """Return the mask with other labels, int64."""
        labels = value.labels.astype(np.int64)
        return replace(value, labels=np.where(labels < 0, labels, labels + self.shift_value))
