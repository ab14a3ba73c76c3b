"""Thresholds of overlap as an option: a number, a list, ``0.5,0.75`` or ``0.5:0.05:0.95``."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from ..refusal import found, refused

__all__ = ["COCO_THRESHOLDS", "Thresholds"]


def _parsed(value: Any) -> Any:
    """Return the thresholds that `value` names, ascending or not.

    Raises:
        pydantic_core.PydanticCustomError: it names none, or one that is no overlap.
    """
    try:
        thresholds = _of_text(value) if isinstance(value, str) else np.array(value, dtype=np.float64, ndmin=1).tolist()
    except (TypeError, ValueError):
        thresholds = []
    if not thresholds or not all(0 < threshold <= 1 for threshold in thresholds):
        raise refused(f"{found(value)} found, numbers above 0 and up to 1 expected, or first:step:last")
    return tuple(thresholds)


def _of_text(text: str) -> list[float]:
    if ":" not in text:
        return [float(part) for part in text.split(",")]
    first, step, last = map(float, text.split(":"))
    if step <= 0 or last < first:
        raise ValueError(text)
    # As COCO's own evaluation computes them, so that overlaps of exactly a threshold fall on the same side.
    return list(np.linspace(first, last, round((last - first) / step) + 1).tolist())


Thresholds = Annotated[tuple[float, ...], BeforeValidator(_parsed)]
COCO_THRESHOLDS: tuple[float, ...] = tuple(_of_text("0.5:0.05:0.95"))
"""COCO's own: 0.5, 0.55, …, 0.95."""
