"""Landmarks relative to the image or to the face."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..errors import OutputError
from ..registry import register
from ..types import Array, Landmarks, Pair, Region
from ._targets import Targeted

__all__ = ["NormalizeLandmarksPoints"]


@register("normalize_landmarks_points")
@dataclass(frozen=True, kw_only=True)
class NormalizeLandmarksPoints(Targeted):
    """Put landmarks into a frame where the sides of the original image, or of the face's rectangle in it, are 1.

    Landmarks that refer to the model's input are taken to the original image first, through all that preprocessing
    did; after a crop to the rectangle those in ``normalized`` are as before.

    Args:
        use_annotation_rect: whether the sides are those of the annotated rectangle instead of the image.
        apply_to: what is changed; both by default.
        annotation_source: names of the annotations that are changed, where a sample has several.
        prediction_source: names of the predictions that are changed, where a sample has several.
    """

    use_annotation_rect: bool = False
    annotations: ClassVar[tuple[type, ...]] = (Landmarks,)
    predictions: ClassVar[tuple[type, ...]] = (Landmarks,)

    def change(self, value: Landmarks, pair: Pair) -> Landmarks:
        """Return `value` in the frame ``normalized``.

        Raises:
            OutputError: nobody knows the rectangle, the size of the image or what the input shows of it.
        """
        x_min, y_min, x_max, y_max = self._region(pair)
        if x_max <= x_min or y_max <= y_min:
            raise OutputError(
                f"{pair.sample.identifier}: its rectangle {x_min, y_min, x_max, y_max} has no area; "
                "correct the annotation"
            )
        points = (_in_original(value, pair) - (x_min, y_min)) / (x_max - x_min, y_max - y_min)
        return replace(value, points=points, frame="normalized")

    def _region(self, pair: Pair) -> Region:
        region, size = pair.sample.region, pair.sample.original_size
        if self.use_annotation_rect:
            if region is None:
                raise OutputError(
                    f"{pair.sample.identifier} has no annotated rectangle; remove use_annotation_rect, or choose a "
                    "converter that gives rectangles"
                )
            return region
        if size is None:
            raise OutputError(f"{pair.sample.identifier} is no image, the size of an image expected")
        return 0.0, 0.0, float(size[1]), float(size[0])


def _in_original(value: Landmarks, pair: Pair) -> Array:
    if value.frame == "original":
        return np.asarray(value.points, dtype=np.float64)
    if pair.sample.geometry is None:
        raise OutputError(
            f"nobody knows which part of {pair.sample.identifier} the model saw; preprocess it with the built-in steps"
        )
    return pair.sample.geometry.points_to_original(value.points, value.frame)
