"""Images at another size."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..opencv import opencv
from ..types import Array, Geometry, Size

__all__ = ["image_over_original", "resize_image"]


def resize_image(image: Array, size: Size, realization: Literal["pillow", "opencv"]) -> Array:
    """Return `image` (h, w, C) at `size`: bicubic by Pillow or bilinear by OpenCV, uint8 if it is, else float32."""
    values = image if image.dtype == np.uint8 else image.astype(np.float32)
    resize = _by_pillow if realization == "pillow" else _by_opencv
    return np.stack([resize(np.ascontiguousarray(channel), size) for channel in np.moveaxis(values, -1, 0)], axis=-1)


def image_over_original(image: Array, geometry: Geometry) -> Array:
    """Return `image` (h, w, C), which covers the input, over the original: bilinear, uint8 if it is, else float32.

    Pixels that the input does not show take the value at its nearest border.
    """
    values = geometry.image_to_original(image).reshape(*geometry.original, image.shape[2])
    return np.rint(values).astype(np.uint8) if image.dtype == np.uint8 else values


def _by_pillow(channel: Array, size: Size) -> Array:
    from PIL import Image

    return np.asarray(Image.fromarray(channel).resize(size[::-1], Image.Resampling.BICUBIC))


def _by_opencv(channel: Array, size: Size) -> Array:
    cv2 = opencv()
    resized: Array = cv2.resize(channel, size[::-1], interpolation=cv2.INTER_LINEAR)
    return resized
