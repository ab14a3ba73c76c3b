"""Predicted boxes over the original image."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import OutputError
from ..options import Compat
from ..registry import register
from ..types import Geometry, Pair, ScoredBoxes
from ._targets import Targeted

__all__ = ["ResizePredictionBoxes"]


@register("resize_prediction_boxes")
@dataclass(frozen=True, kw_only=True)
class ResizePredictionBoxes(Targeted):
    """Takes predicted boxes back to px of the original image, whatever the preprocessing did to it.

    What the boxes refer to is known from the adapter, and where padding and crops lie from the preprocessing.

    Args:
        rescale: accepted, says that boxes are in px of the input; matters under accuracy_checker only.
        unpadding: accepted, padding is undone in any case.
        uncrop: accepted, a crop is undone in any case.
        compat: accuracy_checker multiplies coordinates by the original size, as if the input showed all of the image
            and nothing else, and with `rescale` by original size over size after the last resize; padding and crops
            are undone with `unpadding` and `uncrop` only.
    """

    rescale: bool = False
    unpadding: bool = False
    uncrop: bool = False
    compat: Compat = None
    predictions = (ScoredBoxes,)

    def change(self, value: ScoredBoxes, pair: Pair) -> ScoredBoxes:
        """Return the boxes in px of the original image; they are not clipped to it.

        Raises:
            OutputError: nobody knows where the input's pixels came from.
        """
        if value.frame == "original":
            return value
        geometry = pair.sample.geometry
        if geometry is None:
            raise OutputError(
                f"boxes in the frame {value.frame!r} found for a sample whose way from the original image is unknown; "
                "an image whose size and preprocessing are known expected"
            )
        if self.compat and not (self.unpadding or self.uncrop):
            return replace(value, boxes=value.boxes * self._scale(geometry), frame="original")
        return replace(value, boxes=geometry.boxes_to_original(value.boxes, value.frame), frame="original")

    def _scale(self, geometry: Geometry) -> tuple[float, float, float, float]:
        (height, width), content = geometry.original, geometry.resized or geometry.original
        y, x = (height / content[0], width / content[1]) if self.rescale else (float(height), float(width))
        return x, y, x, y
