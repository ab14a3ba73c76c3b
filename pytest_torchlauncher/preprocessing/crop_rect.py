"""Crops to the part of the image that the annotation is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kinds import Preprocessor
from ..registry import register
from ..types import Array, Region, Sample
from ._arrays import pixels_of

__all__ = ["CropRect"]


@register("crop_rect")
@dataclass(frozen=True, kw_only=True)
class CropRect(Preprocessor):
    """Cuts out the sample's region; a sample without one stays as it is.

    Corners are cut to whole pixels. A region that begins before the image is moved into it, in its own size; one that
    ends behind the image is cut off, as in the Accuracy Checker.
    """

    takes_levels: ClassVar[bool] = True

    def apply(self, sample: Sample) -> Sample:
        """Return the region (H, W, C) of the image, in its own dtype.

        Raises:
            ValueError: the data is no image, or nothing of the region lies on it.
        """
        if sample.region is None:
            return sample
        image, data_of = pixels_of(sample)
        left, top, right, bottom = _clipped(_region(sample, sample.region), image)
        if right <= left or bottom <= top:
            raise ValueError(
                f"the region {sample.region} found, nothing of which lies on the image of "
                f"{image.shape[1]}x{image.shape[0]} px; correct the annotation"
            )
        geometry = sample.geometry and sample.geometry.cropped_to(top, left, (bottom - top, right - left))
        return sample.moved(data_of(np.ascontiguousarray(image[top:bottom, left:right])), geometry)


def _region(sample: Sample, region: Region) -> Array:
    """Return the corners (4,) of `region` on the image as it stands after the steps before."""
    corners = np.array(region, dtype=np.float64)
    corners = corners if sample.geometry is None else sample.geometry.boxes_to_input(corners)[0]
    return corners


def _clipped(corners: Array, image: Array) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom, px."""
    start = np.maximum(corners[:2], 0)
    end = np.minimum(start + corners[2:] - corners[:2], (image.shape[1], image.shape[0]))
    # A corner that a resize moved to a pixel may miss it by rounding.
    left, top, right, bottom = (int(side + 1e-6) for side in (*start, *end))
    return left, top, right, bottom
