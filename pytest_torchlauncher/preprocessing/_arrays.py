"""What the steps ask of a sample's data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..types import Array, Levels, Sample

__all__ = ["array_of", "cast_unless", "image_of", "pixels_of"]


def array_of(sample: Sample) -> Array:
    """Return the array of `sample`, of any shape.

    Raises:
        ValueError: its data is a tensor.
    """
    if isinstance(sample.data, Levels):
        return np.asarray(sample.data)
    if not isinstance(sample.data, np.ndarray):
        raise ValueError(
            "this step works on arrays, not on tensors: put it before the step that makes the tensor, or remove it"
        )
    return sample.data


def image_of(sample: Sample) -> Array:
    """Return the image (H, W, C) of `sample`; (H, W) gets a channel axis.

    Raises:
        ValueError: its data is a tensor or no image.
    """
    array = array_of(sample)
    image = array[..., np.newaxis] if array.ndim == 2 else array
    if image.ndim != 3 or not image.size:
        raise ValueError(f"an array {array.shape} found, an image (H, W, C) expected")
    return image


def pixels_of(sample: Sample) -> tuple[Array, Callable[[Array], Array | Levels]]:
    """Return the image (H, W, C) of `sample`, or its levels, and what makes data of its pixels once they were moved.

    Raises:
        ValueError: its data is a tensor or no image.
    """
    if isinstance(sample.data, Levels):
        table = sample.data.table
        return sample.data.levels, lambda levels: Levels(levels, table)
    return image_of(sample), lambda image: image


def cast_unless(array: Array, *dtypes: npt.DTypeLike) -> Array:
    """Return `array`, as float32 unless it has one of `dtypes`."""
    return array if array.dtype in dtypes else array.astype(np.float32)
