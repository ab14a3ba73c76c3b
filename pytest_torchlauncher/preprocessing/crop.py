"""Crops around the centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kinds import Preprocessor
from ..opencv import opencv
from ..options import PositiveInt
from ..registry import register
from ..types import Array, Sample
from ._arrays import cast_unless, image_of, pixels_of

__all__ = ["Crop"]

Size = tuple[int, int]


@register("crop")
@dataclass(frozen=True, kw_only=True)
class Crop(Preprocessor):
    """Cuts out the centre of an image; the size is given in one of four ways.

    Args:
        size: width and height, px.
        dst_width: width, px, together with `dst_height`.
        dst_height: height, px.
        central_fraction: the part of each side that stays, above 0 and up to 1.
        max_square: whether to cut out the largest square.
        use_pillow: whether an odd margin is halved to the even neighbour and a crop beyond the image filled with 0, as
            torchvision and Pillow do; otherwise it is halved downwards and the image enlarged first.
    """

    takes_levels: ClassVar[bool] = True
    size: PositiveInt | None = None
    dst_width: PositiveInt | None = None
    dst_height: PositiveInt | None = None
    central_fraction: float | None = None
    max_square: bool = False
    use_pillow: bool = False

    def __post_init__(self) -> None:
        """Check that the size is given in one way.

        Raises:
            ValueError: it is given in no or several ways, or by a fraction out of range.
        """
        if (self.dst_width is None) != (self.dst_height is None):
            raise ValueError("only one of dst_width and dst_height found, both expected")
        given = [self.size, self.dst_width, self.central_fraction, self.max_square or None]
        if (ways := sum(way is not None for way in given)) != 1:
            raise ValueError(
                f"{ways} sizes found, exactly one of size, dst_width with dst_height, central_fraction and "
                "max_square expected"
            )
        if self.central_fraction is not None and not 0 < self.central_fraction <= 1:
            raise ValueError(f"central_fraction: {self.central_fraction} found, more than 0 and at most 1 expected")

    def apply(self, sample: Sample) -> Sample:
        """Return the centre (H, W, C) of the image, in its own dtype.

        Raises:
            ValueError: the data is no image, or the fraction leaves nothing of it.
        """
        pixels, data_of = pixels_of(sample)
        height, width, _ = pixels.shape
        size = self._target(width, height)
        if min(size) < 1:
            raise ValueError(
                f"central_fraction {self.central_fraction} of {width}x{height} is nothing, a pixel at least expected"
            )
        if size[0] <= width and size[1] <= height:
            top, left = self._start(height, size[1]), self._start(width, size[0])
            geometry = sample.geometry and sample.geometry.cropped_to(top, left, size[::-1])
            return sample.moved(data_of(_cut(pixels, left, top, size)), geometry)
        image = image_of(sample)
        return _padded_crop(sample, image, size) if self.use_pillow else _enlarging_crop(sample, image, size)

    def _start(self, side: int, new: int) -> int:
        return round((side - new) / 2) if self.use_pillow else (side - new) // 2

    def _target(self, width: int, height: int) -> Size:
        if self.max_square:
            return min(width, height), min(width, height)
        if self.central_fraction is not None:
            return int(width * self.central_fraction), int(height * self.central_fraction)
        return self.size or self.dst_width or 0, self.size or self.dst_height or 0


def _padded_crop(sample: Sample, image: Array, size: Size) -> Sample:
    left, top = (round((side - new) / 2) for side, new in zip((image.shape[1], image.shape[0]), size, strict=True))
    right, bottom = left + size[0] - image.shape[1], top + size[1] - image.shape[0]
    padded = np.pad(image, ((max(-top, 0), max(bottom, 0)), (max(-left, 0), max(right, 0)), (0, 0)))
    geometry = sample.geometry and sample.geometry.cropped_to(top, left, size[::-1])
    return sample.moved(_cut(padded, max(left, 0), max(top, 0), size), geometry)


def _enlarging_crop(sample: Sample, image: Array, size: Size) -> Sample:
    enlarged = _enlarged(image, size)
    height, width, _ = enlarged.shape
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    geometry = sample.geometry and sample.geometry.stretched_to((height, width)).cropped_to(top, left, size[::-1])
    return sample.moved(_cut(enlarged, left, top, size), geometry)


def _enlarged(image: Array, size: Size) -> Array:
    """Return `image`, of which a side is shorter than that of `size`, enlarged, its ratio kept and sides rounded up."""
    cv2 = opencv()

    height, width, _ = image.shape

    # Whole numbers, since a float that is one off in its last place would round up by a pixel.
    wider = size[0] * height >= size[1] * width
    new = (size[0], -(-height * size[0] // width)) if wider else (-(-width * size[1] // height), size[1])
    resized: Array = cv2.resize(cast_unless(image, np.uint8, np.int16, np.uint16, np.float32, np.float64), new)
    return resized.reshape(new[1], new[0], -1)


def _cut(image: Array, left: int, top: int, size: Size) -> Array:
    return np.ascontiguousarray(image[top : top + size[1], left : left + size[0]])
