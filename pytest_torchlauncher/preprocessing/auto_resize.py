"""Resizing to the size of the model's input."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import DataError
from ..kinds import Preprocessor
from ..opencv import opencv
from ..registry import register
from ..types import Array, Sample, Size
from ._arrays import cast_unless, image_of

__all__ = ["AutoResize"]


@register("auto_resize")
@dataclass(frozen=True)
class AutoResize(Preprocessor):
    """Stretches an image to the height and width of the model's image input, by OpenCV's bilinear interpolation.

    The launcher states them: ``inputs: [{name: x, type: INPUT, shape: [1, 3, 1024, 2048]}]``.
    """

    def suited_to(self, input_size: Size | None) -> Preprocessor:
        """Return the step that stretches to `input_size`.

        Raises:
            DataError: the launcher states none.
        """
        if input_size is None:
            raise DataError(
                "the size of the model's image input is not known; give its inputs entry a shape such as "
                "[1, 3, 1024, 2048], or use resize"
            )
        return _Stretch(input_size)

    def apply(self, sample: Sample) -> Sample:
        """Refuse: the step that works is that of `suited_to`.

        Raises:
            ValueError: always.
        """
        raise ValueError("auto_resize works in an evaluation only, where the model's input is known")


@dataclass(frozen=True)
class _Stretch(Preprocessor):
    """Stretches images to `size`."""

    size: Size

    def apply(self, sample: Sample) -> Sample:
        """Return the image (H, W, C) float32.

        Raises:
            ValueError: the data is no image.
        """
        cv2 = opencv()

        image = cast_unless(image_of(sample), np.uint8, np.int16, np.uint16, np.float32, np.float64)
        stretched: Array = cv2.resize(image, self.size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
        geometry = sample.geometry and sample.geometry.resized_to(self.size)
        return replace(sample, data=stretched.reshape(*self.size, -1), geometry=geometry)
