"""Thresholds of overlap as an option: a number, a list, ``0.5,0.75`` or ``0.5:0.05:0.95``."""

from __future__ import annotations

import math
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
        thresholds = _of_text(value) if isinstance(value, str) else _of_numbers(value)
    except (TypeError, ValueError):
        thresholds = []
    if not thresholds or not all(0 < threshold <= 1 for threshold in thresholds):
        raise refused(f"{found(value)} found, numbers above 0 and up to 1 expected, or first:step:last in whole steps")
    return tuple(thresholds)


def _of_numbers(value: Any) -> list[float]:
    numbers = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(number, bool) for number in numbers):
        raise TypeError("a truth value is no number")
    return [float(number) for number in numbers]


def _of_text(text: str) -> list[float]:
    if ":" not in text:
        return [float(part) for part in text.split(",")]
    first, step, last = map(float, text.split(":"))
    steps = round((last - first) / step) if step > 0 else -1
    if steps < 0 or not math.isclose(first + steps * step, last, abs_tol=1e-9):
        raise ValueError(text)
    # As COCO's own evaluation computes them, so that overlaps of exactly a threshold fall on the same side.
    return list(np.linspace(first, last, steps + 1).tolist())


Thresholds = Annotated[tuple[float, ...], BeforeValidator(_parsed)]
COCO_THRESHOLDS: tuple[float, ...] = tuple(_of_text("0.5:0.05:0.95"))
"""COCO's own: 0.5, 0.55, …, 0.95."""
