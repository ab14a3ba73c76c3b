"""Masks at another size: nearest neighbour, on the values as they are or on the 8 bits of the Accuracy Checker."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ..types import Array, Geometry, Size

__all__ = [
    "WayBack",
    "labels_over_original",
    "matte_over_original",
    "resize_nearest",
    "scores_over_original",
    "stretched_to_8_bit",
]

WayBack: TypeAlias = Callable[[Array, Geometry], Array]
"""What brings pixels that cover the input over the original image."""


def resize_nearest(mask: Array, size: Size) -> Array:
    """Return `mask` (…, h, w), of any dtype, at `size`, each pixel with the value that Pillow's NEAREST takes."""
    rows, columns = (_nearest(old, new) for old, new in zip(mask.shape[-2:], size, strict=True))
    resized: Array = mask[..., rows[:, np.newaxis], columns]
    return resized


def labels_over_original(labels: Array, geometry: Geometry) -> Array:
    """Return `labels` (h, w), which cover the input, over the original: -1 where the input does not show it."""
    # A type that holds -1 beside all labels.
    signed = labels.astype(np.promote_types(labels.dtype, np.int8), copy=False)
    return geometry.mask_to_original(signed, outside=-1)


def scores_over_original(scores: Array, geometry: Geometry) -> Array:
    """Return `scores` (C, h, w), which cover the input, over the original: NaN where the input does not show it."""
    # A type that holds NaN beside all scores.
    floating = scores.astype(np.promote_types(scores.dtype, np.float16), copy=False)
    return geometry.mask_to_original(floating, outside=np.nan)


def matte_over_original(matte: Array, geometry: Geometry) -> Array:
    """Return `matte` (h, w), which covers the input, over the original: 0 where the input does not show it."""
    return geometry.mask_to_original(matte)


def stretched_to_8_bit(mask: Array) -> Array:
    """Return `mask` as uint8: integers from 0 to 255 as they are, all else stretched so that it spans 0 to 255.

    This is what the Accuracy Checker does to every mask that it resizes: scores of different classes are no longer
    comparable after it, and labels below 0 become others.
    """
    if mask.dtype == np.uint8 or not mask.size:
        return mask.astype(np.uint8)
    low, high = mask.min(), mask.max()
    if mask.dtype.kind != "f" and low >= 0 and high <= 255:
        return mask.astype(np.uint8)
    values = mask if mask.dtype.kind == "f" else mask.astype(np.float64)
    stretched: Array = (values - low) * (255 / (float(high) - float(low) or 1.0)) + 0.5
    return stretched.clip(0, 255).astype(np.uint8)


def _nearest(old: int, new: int) -> Array:
    """Return for each of `new` pixels of a side the index among its `old` ones."""
    from PIL import Image

    # Pillow adds up its steps in floating point: no formula gives its choice where two pixels are equally near.
    indices = Image.fromarray(np.arange(old, dtype=np.int32)[np.newaxis])
    nearest: Array = np.asarray(indices.resize((new, 1), Image.Resampling.NEAREST))[0]
    return nearest
