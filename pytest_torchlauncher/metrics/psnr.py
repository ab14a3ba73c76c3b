"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from ..errors import OutputError
from ..registry import register
from ..types import Array, Color, Image
from ._image_quality import ImageQuality

__all__ = ["PSNR"]

_WEIGHTS = np.array([65.738, 129.057, 25.064]) / 256
"""Red, green and blue in the luma of ITU-R BT.601, which spans 16 to 235."""
_LARGEST = 100.0


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


@register("psnr")
@dataclass(frozen=True, kw_only=True)
class PSNR(ImageQuality):
    """The mean over the images of ``-10 log10 MSE``, in dB, with the largest value of a pixel as 1.

    Of images in colour it is the squared error of the luma, as is the custom in super-resolution (MATLAB's
    ``rgb2ycbcr``). An image has 100 dB at most: equal images would have infinitely many, and with them the mean.

    Args:
        scale_border: how many px of every side do not count.
        color_order: the order of the channels, RGB or BGR; by default that of the annotations, RGB if they have none.
        normalized_images: whether the largest value of a pixel is 1, else 255.
        unweighted_average: whether all channels count the same, instead of the luma.
        max_error: whether the largest value of an image is a component, too, under this name.
        compat: ``accuracy_checker``: as there, `value` is the mean of all components, the standard deviation among
            them, and the order of the channels is RGB unless it is given.
    """

    scale_border: Annotated[int, Field(ge=0)] = 4
    color_order: Annotated[Literal["BGR", "RGB"] | None, BeforeValidator(_upper)] = None
    normalized_images: bool = False
    unweighted_average: bool = False
    bounded: ClassVar[bool] = False
    unit: ClassVar[str] = "dB"

    def order(self, annotation: Image) -> Color:
        """Return the order of the channels."""
        if self.color_order:
            return "bgr" if self.color_order == "BGR" else "rgb"
        return "rgb" if self.compat else super().order(annotation)

    def quality(self, truth: Array, estimate: Array, color: Color) -> float:
        """Return the ratio of one image, dB.

        Raises:
            OutputError: `scale_border` leaves nothing of it.
        """
        difference = (self._within(estimate) - self._within(truth)) / (1 if self.normalized_images else 255)
        if difference.shape[2] == 3 and not self.unweighted_average:
            difference = difference @ (_WEIGHTS[::-1] if color == "bgr" else _WEIGHTS)
        error = float(np.mean(np.square(difference)))
        return min(-10 * math.log10(error), _LARGEST) if error else _LARGEST

    def _within(self, image: Array) -> Array:
        height, width, _ = image.shape
        border = self.scale_border
        if min(height, width) <= 2 * border:
            raise OutputError(
                f"an image of {width}x{height} found, more than {2 * border}x{2 * border} expected by "
                f"scale_border: {border}"
            )
        return image[border : height - border, border : width - border]
