"""Masks at the size of the original image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ..errors import OutputError
from ..options import Compat, PositiveInt
from ..registry import register
from ..types import Array, Mask, MaskScores, Matte, Pair, Size
from ._mask_resizer import OUTSIDE, over_original, resize_nearest, stretched_to_8_bit
from ._targets import Targeted

__all__ = ["ResizeSegmentationMask"]


@register("resize_segmentation_mask")
@dataclass(frozen=True, kw_only=True)
class ResizeSegmentationMask(Targeted):
    """Brings masks or scores of pixels to the size of the original image, or another, by the nearest pixel.

    Values stay as they are. What a crop does not show of the original has the label -1, NaN scores, and 0 as a matte.

    Args:
        size: width and height, px; those of the original image by default.
        dst_width: width, px.
        dst_height: height, px.
        to_dst_image_size: whether the size is that of the image after its last resize.
        compat: ``accuracy_checker``: every mask that is not of 8 bits already is stretched to 0 to 255 first, scores
            class by class, which changes the class with the highest score; and it is always stretched to the size,
            whatever crops and padding the input had.
    """

    needs_target: ClassVar[bool] = True
    annotations: ClassVar[tuple[type, ...]] = (Mask, Matte)
    predictions: ClassVar[tuple[type, ...]] = (Mask, MaskScores, Matte)

    size: PositiveInt | None = None
    dst_width: PositiveInt | None = None
    dst_height: PositiveInt | None = None
    to_dst_image_size: bool = False
    compat: Compat = None

    def __post_init__(self) -> None:
        """Check the size.

        Raises:
            ValueError: only one side is given.
        """
        super().__post_init__()
        if (self.dst_width is None) != (self.dst_height is None):
            raise ValueError("only one of dst_width and dst_height found, both expected")

    def change(self, value: Any, pair: Pair) -> Any:
        """Return the mask at the new size.

        Raises:
            OutputError: the size of the original image, or how the input came from it, is not known.
        """
        size = self._size(pair)
        if isinstance(value, Mask):
            resized = partial(self._resized, frame=value.frame, size=size, pair=pair, outside=OUTSIDE[Mask])
            return replace(value, labels=_by_channel(value.labels, resized), frame="original")
        values = self._resized(value.values, value.frame, size, pair, OUTSIDE[type(value)])
        return replace(value, values=values, frame="original")

    def _size(self, pair: Pair) -> Size:
        sample = pair.sample
        if self.size or self.dst_width:
            return self.size or self.dst_height or 0, self.size or self.dst_width or 0
        size = sample.resized_size if self.to_dst_image_size else sample.original_size
        if size is None:
            raise OutputError(f"{sample.identifier}: the size of the image is not known; give size, or resize it first")
        return size

    def _resized(self, mask: Array, frame: str, size: Size, pair: Pair, outside: float) -> Array:
        if self.compat:
            parts = mask.reshape(-1, *mask.shape[-2:])
            resized = np.stack([resize_nearest(stretched_to_8_bit(part), size) for part in parts])
            return resized.reshape(*mask.shape[:-2], *size)
        geometry, is_original = pair.sample.geometry, size == pair.sample.original_size
        if frame == "original" or (not is_original and (geometry is None or geometry.is_stretch)):
            return resize_nearest(mask, size)
        if geometry is None:
            raise OutputError(
                f"{pair.sample.identifier}: how the input came from the original image is not known; "
                "let the dataset give images, not tensors"
            )
        placed = over_original(mask, geometry, outside)
        return placed if is_original else resize_nearest(placed, size)


def _by_channel(labels: Array, resized: Any) -> Array:
    """Return `labels` (H, W), or colours (H, W, C), after `resized`, which takes the channels first."""
    if labels.ndim == 2:
        return np.asarray(resized(labels))
    return np.asarray(resized(labels.transpose(2, 0, 1))).transpose(1, 2, 0)
