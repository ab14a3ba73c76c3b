"""Drawings of annotations and predictions, for reports that show samples."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np

from ..types import (
    FULL,
    NO_CLASS,
    Array,
    Boxes,
    Drawing,
    InstanceMasks,
    Keypoints,
    Landmarks,
    Mask,
    MaskScores,
    Named,
    ScoredBoxes,
    ScoredKeypoints,
    Size,
    Text,
    Values,
)

__all__ = ["drawing_of"]

_BOXES = 20
"""Boxes that a drawing has at most."""
_POINTS = 68
"""Points that it has at most."""
_SIDE = 48
"""The longer side of a mask, px."""
_NUMBERS = 4
"""Numbers that are written out."""
_LETTERS = 80


def drawing_of(value: Any, size: Size | None) -> Drawing | None:
    """Return what can be drawn of an annotation or prediction; None of a class, which has a name, and of anything else.

    Args:
        value: in coordinates of the original image.
        size: of the original image, px; None where there is none.
    """
    if isinstance(value, Named):
        drawings = (drawing_of(part, size) for part in value.parts.values())
        return next((drawing for drawing in drawings if drawing), None)
    if getattr(value, "frame", "original") != "original":
        return None
    return _drawing(value, size)


@singledispatch
def _drawing(value: Any, size: Size | None) -> Drawing | None:
    return None


@_drawing.register
def _of_text(value: Text, size: Size | None) -> Drawing:
    return Drawing(text=value.text[:_LETTERS])


@_drawing.register
def _of_values(value: Values, size: Size | None) -> Drawing:
    numbers = np.asarray(value.values).reshape(-1)
    more = ", …" if len(numbers) > _NUMBERS else ""
    return Drawing(text=", ".join(f"{number:.4g}" for number in numbers[:_NUMBERS]) + more)


@_drawing.register(Boxes)
@_drawing.register(InstanceMasks)
@_drawing.register(ScoredBoxes)
def _of_boxes(value: Boxes | InstanceMasks | ScoredBoxes, size: Size | None) -> Drawing | None:
    if size is None:
        return None
    scores = value.scores if isinstance(value, ScoredBoxes) else np.ones(len(value))
    first = np.argsort(-scores, kind="stable")[:_BOXES]
    percent = np.clip(np.nan_to_num(scores[first]) * 100, 0, 100).round().astype(np.uint8)
    boxes = _scaled(value.boxes[first].reshape(-1, 2, 2), size).reshape(-1, 4)
    return Drawing(boxes=boxes, labels=value.labels[first].astype(np.int64), scores=percent)


@_drawing.register(Keypoints)
@_drawing.register(ScoredKeypoints)
@_drawing.register(Landmarks)
def _of_points(value: Keypoints | ScoredKeypoints | Landmarks, size: Size | None) -> Drawing | None:
    if size is None:
        return None
    points = value.points
    if isinstance(value, Keypoints):
        points = points[value.visibility > 0]
    return Drawing(points=_scaled(points.reshape(-1, 2)[:_POINTS], size))


@_drawing.register
def _of_mask(value: Mask, size: Size | None) -> Drawing | None:
    # Colours are no classes yet.
    return Drawing(mask=_coarse(value.labels)) if value.labels.ndim == 2 else None


@_drawing.register
def _of_scores(value: MaskScores, size: Size | None) -> Drawing:
    # The highest of all scores of a large image would cost more than its metric.
    rows, columns = _grid(value.values.shape[1:])
    return Drawing(mask=_coarse(MaskScores(value.values[:, rows[:, np.newaxis], columns]).labels))


def _scaled(points: Array, size: Size) -> Array:
    """Return `points` (…, 2) px as uint16 of an image of `size`; what lies outside moves to its edge."""
    height, width = size
    share = np.nan_to_num(points / np.array([width, height], dtype=np.float64), posinf=1.0)
    scaled: Array = (np.clip(share, 0, 1) * FULL).round().astype(np.uint16)
    return scaled


def _coarse(labels: Array) -> Array:
    rows, columns = _grid(labels.shape)
    coarse = labels[rows[:, np.newaxis], columns]
    known = (coarse >= 0) & (coarse < NO_CLASS)
    small: Array = np.where(known, coarse, NO_CLASS).astype(np.uint8)
    return small


def _grid(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return rows and columns of an even grid over an image of `shape`, with up to `_SIDE` on the longer side."""
    step = max(max(shape) / _SIDE, 1.0)
    rows, columns = (
        ((np.arange(max(int(side / step), 1)) + 0.5) * side / max(int(side / step), 1)).astype(np.int64)
        for side in shape
    )
    return rows, columns
