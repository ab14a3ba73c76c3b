"""Outputs whose values are pixels."""

from __future__ import annotations

import numpy as np

from ..errors import OutputError
from ..types import Array

__all__ = ["as_float", "plane", "to_8_bit"]


def as_float(values: Array) -> Array:
    """Return `values` in their own precision, at least float32."""
    return values.astype(np.result_type(values.dtype, np.float32), copy=False)


def plane(row: Array) -> Array:
    """Return the output of one sample, (1, H, W), (H, W, 1) or (H, W), as (H, W).

    Raises:
        OutputError: it is of another shape.
    """
    if row.ndim == 3 and 1 in (row.shape[0], row.shape[2]):
        squeezed: Array = row[0] if row.shape[0] == 1 else row[..., 0]
        return squeezed
    if row.ndim != 2:
        raise OutputError(f"{row.shape} found for a sample, one channel (1, H, W) expected")
    return row


def to_8_bit(values: Array) -> Array:
    """Return `values` as uint8: clipped to 0 and 255, fractions cut off."""
    # Cut off, not rounded, as the Accuracy Checker: published numbers hold it.
    return values.clip(0, 255).astype(np.uint8)
