"""Mirroring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from ..kinds import Preprocessor
from ..registry import register
from ..types import Sample
from ._arrays import pixels_of

__all__ = ["Flip"]

Direction = Literal["horizontal", "vertical"]

_MOTIONS: dict[Direction, tuple[int, Direction]] = {"horizontal": (0, "vertical"), "vertical": (1, "horizontal")}


@register("flip")
@dataclass(frozen=True, kw_only=True)
class Flip(Preprocessor):
    """Mirrors an image around an axis.

    Args:
        mode: the axis: the horizontal one turns the image upside down, the vertical one swaps left and right.
        merge_with_original: accepted as false only.
    """

    takes_levels: ClassVar[bool] = True
    mode: Direction = "horizontal"
    merge_with_original: bool = False

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: the original image is asked for as well.
        """
        if self.merge_with_original:
            raise ValueError("merge_with_original: true is not supported; a model gets one image a sample here")

    def apply(self, sample: Sample) -> Sample:
        """Return the image (H, W, C) mirrored, in its own dtype.

        Raises:
            ValueError: the data is no image.
        """
        # Geometry tells the direction of the motion, which is across the axis.
        axis, direction = _MOTIONS[self.mode]
        image, data_of = pixels_of(sample)
        mirrored = np.ascontiguousarray(np.flip(image, axis))
        return sample.moved(data_of(mirrored), sample.geometry and sample.geometry.flipped(direction))
