"""Boxes that do not count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from ..errors import OutputError
from ..options import OneOrMany
from ..refusal import found, refused
from ..registry import register
from ..types import Array, Boxes, Pair, ScoredBoxes
from ._targets import Targeted

__all__ = ["Filter"]


def _numbers(value: Any) -> Any:
    """Return least and greatest value of a range, or the least alone."""
    parts = value.strip("()[] ").split(",") if isinstance(value, str) else value
    try:
        numbers = tuple(_number(part) for part in (parts if isinstance(parts, list | tuple) else [parts]) if part != "")
    except (TypeError, ValueError):
        numbers = ()
    # The Accuracy Checker's files write 0 where there is no greatest value.
    if len(numbers) not in (1, 2) or (len(numbers) == 2 and numbers[1] and numbers[1] <= numbers[0]):
        raise refused(f"{found(value)} found, a least value expected, or a least and a greatest one")
    return numbers


def _number(part: Any) -> float:
    if isinstance(part, bool):
        raise TypeError("a truth value is no number")
    return float(part)


Range = Annotated[tuple[float, ...], BeforeValidator(_numbers)]


@register("filter")
@dataclass(frozen=True, kw_only=True)
class Filter(Targeted):
    """Sets boxes aside that meet any of the conditions, or removes them.

    An annotated box that is set aside is difficult: it need not be found. A predicted one is not held against the
    model. A range is its least value, or the least, which belongs to it, and the greatest, which does not; boxes
    outside are filtered. Lengths are in px of what the boxes refer to.

    Args:
        labels: classes that are filtered.
        min_confidence: predictions below this score are filtered.
        top_k: all but so many predictions are filtered, the surest of those that the other conditions leave.
        height_range: range of the height.
        width_range: range of the width.
        area_range: range of the area, px².
        area_ratio: range of the square root of box area over image area; of annotations only.
        aspect_ratio: range of height over width.
        is_empty: whether boxes without area are filtered.
        invalid_boxes: whether boxes with a coordinate that is NaN or infinite are filtered.
        min_visibility: accepted without effect; no annotation here tells how visible an object is.
        remove_filtered: whether boxes are removed instead of being set aside.
    """

    labels: Annotated[tuple[int, ...], OneOrMany] = ()
    min_confidence: float | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    height_range: Range = ()
    width_range: Range = ()
    area_range: Range = ()
    area_ratio: Range = ()
    aspect_ratio: Range = ()
    is_empty: bool = False
    invalid_boxes: bool = False
    min_visibility: Literal["heavy occluded", "partially occluded", "visible"] | None = None
    remove_filtered: bool = False
    annotations = (Boxes,)
    predictions = (ScoredBoxes,)
    needs_target = True

    @np.errstate(invalid="ignore")
    def change(self, value: Boxes | ScoredBoxes, pair: Pair) -> Boxes | ScoredBoxes:
        """Return all boxes with those that were filtered among the difficult ones, or the others only.

        Raises:
            OutputError: the size of the image is needed and not known.
        """
        filtered = np.isin(value.labels, self.labels)
        for condition in self._conditions(value, pair):
            filtered |= condition
        if isinstance(value, ScoredBoxes):
            filtered |= self._unsure(value, filtered)
        if self.remove_filtered:
            left: Boxes | ScoredBoxes = value.where(~filtered)
            return left
        return replace(value, difficult=value.difficult | filtered)

    def _conditions(self, value: Boxes | ScoredBoxes, pair: Pair) -> Iterator[Array]:
        """Yield which boxes (N,) meet each condition on their shapes."""
        sides: Array = value.boxes[:, 2:] - value.boxes[:, :2]
        width, height = sides.T
        yield _outside(height, self.height_range)
        yield _outside(width, self.width_range)
        yield _outside(width * height, self.area_range)
        yield _outside(height / np.maximum(width, np.finfo(np.float64).eps), self.aspect_ratio)
        if self.area_ratio and isinstance(value, Boxes):
            yield _outside(np.sqrt(np.maximum(width * height, 0) / _image_area(pair)), self.area_ratio)
        if self.is_empty:
            yield sides.min(axis=1) <= 0
        if self.invalid_boxes:
            yield ~np.isfinite(value.boxes.sum(axis=1))

    def _unsure(self, value: ScoredBoxes, filtered: Array) -> Array:
        """Return which boxes (N,) are filtered for their scores, beside those that are `filtered` already."""
        unsure = value.scores < (-np.inf if self.min_confidence is None else self.min_confidence)
        if self.top_k is not None:
            left = np.flatnonzero(~(filtered | unsure))
            unsure[left[np.argsort(-value.scores[left], kind="stable")[self.top_k :]]] = True
        return unsure


def _outside(values: Array, limits: tuple[float, ...]) -> Array:
    """Return which of `values` (N,) are not in the range `limits`; none are where there is no range."""
    if not limits:
        return np.zeros(len(values), dtype=bool)
    least, greatest = (*limits, 0.0)[:2]
    inside: Array = values >= least
    return ~(inside & (values < greatest)) if greatest else ~inside


def _image_area(pair: Pair) -> int:
    if pair.sample.original_size is None:
        raise OutputError("area_ratio for a sample that is no image found, an image expected")
    height, width = pair.sample.original_size
    return height * width
