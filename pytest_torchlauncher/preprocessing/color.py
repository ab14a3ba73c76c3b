"""Orders of colour channels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..kinds import Preprocessor
from ..opencv import opencv
from ..registry import register
from ..types import Array, Color, Levels, Sample
from ._arrays import cast_unless, image_of, pixels_of

__all__ = ["BgrToGray", "BgrToRgb", "RgbToBgr"]

_SWAPPED: dict[Color | None, Color] = {"bgr": "rgb", "rgb": "bgr"}


@register("bgr_to_rgb")
@dataclass(frozen=True, kw_only=True)
class BgrToRgb(Preprocessor):
    """Swaps the first and third of three channels."""

    takes_levels: ClassVar[bool] = True

    def apply(self, sample: Sample) -> Sample:
        """Return the image (H, W, 3) with its channels swapped.

        Raises:
            ValueError: the data is no image of three channels.
        """
        return _swapped(sample)


@register("rgb_to_bgr")
@dataclass(frozen=True, kw_only=True)
class RgbToBgr(Preprocessor):
    """Swaps the first and third of three channels."""

    takes_levels: ClassVar[bool] = True

    def apply(self, sample: Sample) -> Sample:
        """Return the image (H, W, 3) with its channels swapped.

        Raises:
            ValueError: the data is no image of three channels.
        """
        return _swapped(sample)


@register("bgr_to_gray")
@dataclass(frozen=True, kw_only=True)
class BgrToGray(Preprocessor):
    """Weighs the channels of a BGR image to gray as OpenCV does: 0.114 B + 0.587 G + 0.299 R.

    Args:
        cast_to_float: whether the result is float32; otherwise uint8 stays uint8, rounded.
    """

    cast_to_float: bool = True

    def apply(self, sample: Sample) -> Sample:
        """Return the gray image (H, W, 1).

        Raises:
            ValueError: the data is no image of three channels.
        """
        cv2 = opencv()

        image = cast_unless(_three_channels(sample), np.uint8, np.uint16, np.float32)
        gray: Array = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., np.newaxis]
        return sample.with_data(gray.astype(np.float32) if self.cast_to_float else gray, "gray")


def _swapped(sample: Sample) -> Sample:
    """Return `sample` with channels swapped; its `color` follows what it was, whatever the step is called."""
    pixels, _ = pixels_of(sample)
    swapped = _reversed(_checked(pixels))
    data = Levels(swapped, sample.data.table[:, ::-1]) if isinstance(sample.data, Levels) else swapped
    return replace(sample, data=data, color=_SWAPPED.get(sample.color))


def _reversed(image: Array) -> Array:
    """Return a copy of `image` (H, W, 3) with its channels in the other order."""
    cv2 = opencv()

    # Ten times as fast as a copy by numpy, for the dtypes that OpenCV takes.
    if image.dtype in (np.uint8, np.uint16, np.float32):
        swapped: Array = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        return swapped
    return np.ascontiguousarray(image[..., ::-1])


def _three_channels(sample: Sample) -> Array:
    return _checked(image_of(sample))


def _checked(image: Array) -> Array:
    if image.shape[-1] != 3:
        raise ValueError(f"an image of {image.shape[-1]} channels found, one of 3 expected")
    return image
