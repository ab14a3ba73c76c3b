"""Options that hold a number, or one a channel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["channel_values"]


def channel_values(value: Any, named: Mapping[str, tuple[float, ...]]) -> tuple[float, ...]:
    """Return the numbers that `value` stands for: a number, a list, text such as ``(1, 2, 3)``, or a name in `named`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, str) and value.lower() in named:
        return named[value.lower()]
    parts = value.strip().strip("()[]").split(",") if isinstance(value, str) else value
    try:
        numbers = tuple(_number(part) for part in (parts if isinstance(parts, list | tuple) else [parts]))
    except (TypeError, ValueError):
        numbers = ()
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{value!r} found, a number, a list of numbers or text such as '1, 2, 3' expected")
    return numbers


def _number(part: Any) -> float:
    if isinstance(part, bool):
        raise TypeError("a truth value is no number")
    return float(part)
