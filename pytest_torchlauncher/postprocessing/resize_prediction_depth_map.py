"""Predicted depth over the original image."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import OutputError
from ..registry import register
from ..types import DepthMap, Pair
from ._targets import Targeted

__all__ = ["ResizePredictionDepthMap"]


@register("resize_prediction_depth_map")
@dataclass(frozen=True, kw_only=True)
class ResizePredictionDepthMap(Targeted):
    """Takes predicted depth over the original image by bilinear interpolation, whatever the preprocessing did to it.

    Where the input shows nothing of the original the depth is that at its nearest border.
    """

    predictions = (DepthMap,)

    def change(self, value: DepthMap, pair: Pair) -> DepthMap:
        """Return the depth (H, W) float32 at the size of the original image.

        Raises:
            OutputError: nobody knows where the input's pixels came from.
        """
        if value.frame == "original":
            return value
        geometry = pair.sample.geometry
        if geometry is None:
            raise OutputError(
                f"depth in the frame {value.frame!r} found for a sample whose way from the original image is unknown; "
                "an image whose size and preprocessing are known expected"
            )
        valid = geometry.mask_to_original(value.valid) if value.valid.size else value.valid
        return DepthMap(geometry.image_to_original(value.values), "original", valid)
