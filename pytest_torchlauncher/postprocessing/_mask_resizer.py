"""Masks at another size: nearest neighbour, on the values as they are or on the 8 bits of the Accuracy Checker."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..types import Array, Geometry, Mask, MaskScores, Matte, Size

__all__ = ["OUTSIDE", "over_original", "resize_nearest", "stretched_to_8_bit"]

OUTSIDE: Mapping[type, float] = {Mask: -1, MaskScores: np.nan, Matte: 0}
"""What pixels of the original have that the input does not show: no label, no score, no foreground."""


def resize_nearest(mask: Array, size: Size) -> Array:
    """Return `mask` (…, h, w), of any dtype, at `size`, each pixel with the value that Pillow's NEAREST takes."""
    rows, columns = (_nearest(old, new) for old, new in zip(mask.shape[-2:], size, strict=True))
    resized: Array = mask[..., rows[:, np.newaxis], columns]
    return resized


def over_original(pixels: Array, geometry: Geometry, outside: float) -> Array:
    """Return `pixels` (…, h, w), which cover the input, over the original: `outside` where the input shows nothing."""
    # A type that holds `outside` beside all values.
    kind = np.float16 if np.isnan(outside) else np.int8 if outside < 0 else pixels.dtype
    return geometry.mask_to_original(pixels.astype(np.promote_types(pixels.dtype, kind), copy=False), outside)


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
