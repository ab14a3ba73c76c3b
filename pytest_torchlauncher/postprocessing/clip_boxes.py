"""Boxes cut at the border of the image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import OutputError
from ..options import PositiveInt
from ..registry import register
from ..types import Boxes, Pair, ScoredBoxes, Size
from ._targets import Targeted

__all__ = ["ClipBoxes"]


@register("clip_boxes")
@dataclass(frozen=True, kw_only=True)
class ClipBoxes(Targeted):
    """Cuts boxes at the border of what they refer to, the original image unless they are predictions elsewhere.

    Args:
        size: width and height of another area, px.
        dst_width: its width, px.
        dst_height: its height, px.
        boxes_normalized: whether the sides of the image are 1.
    """

    size: PositiveInt | None = None
    dst_width: PositiveInt | None = None
    dst_height: PositiveInt | None = None
    boxes_normalized: bool = False
    annotations = (Boxes,)
    predictions = (ScoredBoxes,)
    needs_target = True

    def change(self, value: Boxes | ScoredBoxes, pair: Pair) -> Boxes | ScoredBoxes:
        """Return the boxes, all corners inside; the areas of annotations stay as they were annotated.

        Raises:
            OutputError: the size of the image is not known.
        """
        height, width = self._limits(value, pair)
        return replace(value, boxes=np.clip(value.boxes, 0.0, np.array([width, height, width, height], np.float64)))

    def _limits(self, value: Boxes | ScoredBoxes, pair: Pair) -> Size:
        frame = value.frame if isinstance(value, ScoredBoxes) else "original"
        if self.boxes_normalized or frame == "normalized":
            return 1, 1
        height, width = self.size or self.dst_height, self.size or self.dst_width
        known = pair.sample.original_size if frame == "original" else pair.sample.input_size
        if known is None and not (height and width):
            raise OutputError(
                "boxes of a sample that is no image found, an image expected; or give size, or dst_width and dst_height"
            )
        return height or known[0], width or known[1]  # type: ignore[index]  # both are there or `known` is
