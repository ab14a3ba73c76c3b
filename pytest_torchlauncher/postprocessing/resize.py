"""Images, alpha masks and masks at another size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator

from ..errors import OutputError
from ..options import Compat, PositiveInt
from ..registry import register
from ..types import Array, Geometry, Image, Mask, MaskScores, Matte, Pair, Size
from ._image_resizer import image_over_original, resize_image
from ._mask_resizer import OUTSIDE, over_original, resize_nearest, stretched_to_8_bit
from ._targets import Targeted

__all__ = ["Resize"]

Resizable = Image | Matte | Mask | MaskScores


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


@register("resize")
@dataclass(frozen=True, kw_only=True)
class Resize(Targeted):
    """Brings annotations and predictions to the size of the original image, or to another.

    Masks of any kind take the nearest value. A prediction over an input that was cropped, padded, turned or warped
    first goes back over the original image.

    Args:
        size: width and height of another target, px; goes before `dst_width` and `dst_height`.
        dst_width: its width, px, together with `dst_height`.
        dst_height: its height, px.
        resize_realization: what resizes images: pillow, bicubic with smoothing where it shrinks; or opencv, bilinear.
        compat: ``accuracy_checker``: as there, masks that are not of 8 bits are stretched to 0 to 255, scores each
            class for itself, which changes the class that wins; images become 8 bits; and all that a prediction
            covers is stretched to the target, whatever was cropped or padded.
    """

    size: PositiveInt | None = None
    dst_width: PositiveInt | None = None
    dst_height: PositiveInt | None = None
    resize_realization: Annotated[Literal["pillow", "opencv"], BeforeValidator(_lower)] = "pillow"
    compat: Compat = None
    annotations = (Image, Matte, Mask)
    predictions = (Image, Matte, Mask, MaskScores)
    needs_target = True

    def __post_init__(self) -> None:
        """Check the target.

        Raises:
            ValueError: only one side of it is given, or what is resized is missing.
        """
        super().__post_init__()
        if (self.dst_width is None) != (self.dst_height is None):
            raise ValueError("only one of dst_width and dst_height found, both expected")

    def change(self, value: Resizable, pair: Pair) -> Resizable:
        """Return `value` at the target's size, over the original image; images are uint8 if they were, else float32.

        Raises:
            OutputError: the target's size is unknown, or where the pixels of the input came from.
        """
        size, geometry = self._target(pair), self._way_back(value, pair)
        if isinstance(value, Image):
            return replace(value, values=self._image(value.values, size, geometry), frame="original")
        if isinstance(value, Mask):
            return Mask(self._labels(value.labels, size, geometry))
        values = self._values(value.values, size, geometry, OUTSIDE[type(value)])
        return replace(value, values=values, frame="original")

    def _target(self, pair: Pair) -> Size:
        if self.size:
            return self.size, self.size
        if self.dst_height and self.dst_width:
            return self.dst_height, self.dst_width
        if pair.sample.original_size is None:
            raise OutputError(
                "a sample that is no image found, an image expected; or give size, or dst_width and dst_height"
            )
        return pair.sample.original_size

    def _way_back(self, value: Resizable, pair: Pair) -> Geometry | None:
        """Return the way back of what covers something else than the whole original image."""
        geometry = pair.sample.geometry
        if value.frame == "original" or self.compat:
            return None
        if geometry is not None:
            return None if geometry.is_stretch else geometry
        if self.size or self.dst_width:
            return None
        raise OutputError(
            f"a prediction in the frame {value.frame!r} found for a sample whose way from the original image is "
            "unknown; an image whose preprocessing is known expected, or give size, or dst_width and dst_height"
        )

    def _image(self, image: Array, size: Size, way_back: Geometry | None) -> Array:
        if self.compat:
            image = image.clip(0, 255).astype(np.uint8)
        if way_back:
            image = image_over_original(image, way_back)
        return resize_image(image, size, self.resize_realization)

    def _labels(self, labels: Array, size: Size, way_back: Geometry | None) -> Array:
        if labels.ndim == 3:  # colours
            return np.moveaxis(self._values(np.moveaxis(labels, -1, 0), size, way_back, 0), 0, -1)
        if way_back:
            labels = over_original(labels, way_back, OUTSIDE[Mask])
        return resize_nearest(stretched_to_8_bit(labels) if self.compat else labels, size)

    def _values(self, values: Array, size: Size, way_back: Geometry | None, outside: float) -> Array:
        """Return `values` (h, w) or (C, h, w) at `size`, every channel by itself."""
        if self.compat:
            values = np.stack([*map(stretched_to_8_bit, values)]) if values.ndim == 3 else stretched_to_8_bit(values)
        if way_back:
            values = over_original(values, way_back, outside)
        return resize_nearest(values, size)
