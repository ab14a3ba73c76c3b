"""Arrays that are written as text, a row a line."""

from __future__ import annotations

import numpy as np

from .types import Array

__all__ = ["parse_array"]


def parse_array(content: bytes) -> Array:
    """Return the numbers in `content` as ``numpy.loadtxt`` reads them: float64, without axes of length 1.

    Raises:
        ValueError: `content` is no UTF-8 text, holds no number, or is no table of numbers.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is no UTF-8, a text of numbers expected") from None
    # numpy warns of a text without numbers.
    if not any(line.partition("#")[0].strip() for line in lines):
        raise ValueError("no number found, a text of numbers expected")
    try:
        return np.loadtxt(lines)
    except ValueError as error:
        raise ValueError(f"no table of numbers: {error}") from None
