"""Borders around an image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator

from ..channel_values import channel_values
from ..kinds import Preprocessor
from ..opencv import opencv
from ..options import PositiveInt
from ..registry import register
from ..types import Array, Levels, Sample, Size
from ._arrays import cast_unless, image_of

__all__ = ["Padding"]

PadMode = Literal["constant", "edge", "maximum", "minimum", "mean", "median", "symmetric", "wrap"]


def _numbers(value: Any) -> Any:
    return value if value == "background" else channel_values(value, "background, ")


@dataclass(frozen=True)
class _Border:
    """How many pixels are added on each side."""

    top: int
    left: int
    bottom: int
    right: int


@register("padding")
@dataclass(frozen=True, kw_only=True)
class Padding(Preprocessor):
    """Adds a border up to a size; a side that is longer already stays.

    Without a size it is that which the last resize had as its target, without a resize that of the image.

    Args:
        size: width and height, px.
        dst_width: width, px.
        dst_height: height, px.
        stride: the size is raised to a multiple of it, and the width of a wider image; a taller one keeps its height,
            as in the Accuracy Checker.
        pad_type: where the image lies: center, or the border is at left_top or right_bottom.
        pad_value: of the border's pixels: a number a channel, one number for all, or background, the most frequent one.
        use_numpy: whether `numpy_pad_mode` makes the border.
        numpy_pad_mode: a mode of ``numpy.pad``.
        enable_resize: whether an image that stays larger than the size is stretched to it afterwards.
        left_top_extend: whether the odd pixel of a centred image goes to the left and top.
    """

    takes_levels: ClassVar[bool] = True
    size: PositiveInt | None = None
    dst_width: PositiveInt | None = None
    dst_height: PositiveInt | None = None
    stride: PositiveInt = 1
    pad_type: Literal["center", "left_top", "right_bottom"] = "center"
    pad_value: Annotated[float | tuple[float, ...] | str, BeforeValidator(_numbers)] = (0.0,)
    use_numpy: bool = False
    numpy_pad_mode: PadMode = "constant"
    enable_resize: bool = False
    left_top_extend: bool = False

    def apply(self, sample: Sample) -> Sample:
        """Return the image (H, W, C) with its border, in its own dtype.

        Raises:
            ValueError: the data is no image, or `pad_value` is for another number of channels.
        """
        levels = self._bordering(sample)
        image = image_of(sample) if levels is None else levels
        height, width, _ = image.shape
        wanted = self._wanted(sample, (height, width))
        border = self._border(self._raised(wanted[0]) - height, self._raised(max(wanted[1], width)) - width)
        padded = self._padded(image, border)
        geometry = sample.geometry and sample.geometry.padded_by(border.top, border.left, border.bottom, border.right)
        target = (self._raised(wanted[0]), wanted[1])
        if self.enable_resize and padded.shape[:2] != target:
            stretched = _stretched(np.asarray(padded), target)
            return sample.moved(stretched, geometry and geometry.stretched_to(target))
        return sample.moved(padded, geometry)

    def _wanted(self, sample: Sample, size: Size) -> Size:
        height, width = (sample.geometry.wanted if sample.geometry else None) or size
        return self.size or self.dst_height or height, self.size or self.dst_width or width

    def _raised(self, side: int) -> int:
        return math.ceil(side / self.stride) * self.stride

    def _border(self, height: int, width: int) -> _Border:
        height, width = max(height, 0), max(width, 0)
        if self.pad_type == "left_top":
            return _Border(height, width, 0, 0)
        if self.pad_type == "right_bottom":
            return _Border(0, 0, height, width)
        top, left = height // 2, width // 2
        if self.left_top_extend:
            top, left = height - top, width - left
        return _Border(top, left, height - top, width - left)

    def _bordering(self, sample: Sample) -> Levels | None:
        """Return the image of `sample` if it is levels, among which are those of the border."""
        is_plain = self.pad_value != "background" and (not self.use_numpy or self.numpy_pad_mode == "constant")
        if not is_plain or not isinstance(sample.data, Levels):
            return None
        return sample.data if sample.data.level_of(self._value(sample.data)) is not None else None

    def _padded(self, image: Array | Levels, border: _Border) -> Array | Levels:
        if isinstance(image, Levels):
            return Levels(_bordered(image.levels, border, image.level_of(self._value(image))), image.table)
        sides = ((border.top, border.bottom), (border.left, border.right), (0, 0))
        if self.use_numpy and self.numpy_pad_mode != "constant":
            return np.pad(image, sides, mode=self.numpy_pad_mode)
        return _bordered(image, border, self._value(image))

    def _value(self, image: Array | Levels) -> Array:
        channels = image.shape[-1]
        if self.pad_value == "background":
            image = np.asarray(image)
            colors, counts = np.unique(image.reshape(-1, channels), axis=0, return_counts=True)
            return np.asarray(colors[counts.argmax()])
        values = np.array(_numbers(self.pad_value))
        if len(values) not in (1, channels) and (channels > 1 or len(set(values)) > 1):
            raise ValueError(
                f"pad_value: {len(values)} numbers found, 1 or {channels} expected for an image of {channels} channels"
            )
        if np.issubdtype(image.dtype, np.integer):
            # As OpenCV: a number that the image cannot hold would wrap around.
            limits = np.iinfo(image.dtype)
            values = np.rint(values).clip(limits.min, limits.max)
        return values[:channels].astype(image.dtype)


def _bordered(image: Array, border: _Border, value: Array | None) -> Array:
    height, width, channels = image.shape
    size = (height + border.top + border.bottom, width + border.left + border.right, channels)
    padded = np.empty(size, image.dtype)
    padded[:] = value
    padded[border.top : border.top + height, border.left : border.left + width] = image
    return padded


def _stretched(image: Array, size: Size) -> Array:
    cv2 = opencv()

    suited = cast_unless(image, np.uint8, np.int16, np.uint16, np.float32, np.float64)
    return np.asarray(cv2.resize(suited, size[::-1])).reshape(*size, -1)
