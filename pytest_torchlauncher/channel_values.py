"""Options that hold a number, or one a channel."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["NAMED_MEANS", "channel_values"]

NAMED_MEANS = {
    "imagenet": (104.00698793, 116.66876762, 122.67891434),
    "cifar10": (125.307, 122.961, 113.8575),
}
"""Means in BGR that the Accuracy Checker knows by name."""


def channel_values(value: Any, also: str = "") -> tuple[float, ...]:
    """Return the numbers that `value` stands for: a number, a list, or text such as ``(1, 2, 3)``.

    Args:
        value: as the file has it.
        also: what else the option may hold, for the message.

    Raises:
        ValueError: it is none of these, or holds a number that is not finite.
    """
    parts = value.strip().strip("()[]").split(",") if isinstance(value, str) else value
    try:
        numbers = tuple(_number(part) for part in (parts if isinstance(parts, list | tuple) else [parts]))
    except (TypeError, ValueError):
        numbers = ()
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{value!r} found, {also}a number, a list of numbers or text such as '1, 2, 3' expected")
    return numbers


def _number(part: Any) -> float:
    if isinstance(part, bool):
        raise TypeError("a truth value is no number")
    return float(part)
