"""Areas, overlaps and suppression of boxes (N, 4): x_min, y_min, x_max, y_max.

`border` is 1 where corners are pixels that belong to the box, as in PASCAL VOC's own evaluation, so that a box has
x_max - x_min + 1 columns; it is 0 for continuous coordinates.
"""

from __future__ import annotations

import numpy as np

from .types import Array

__all__ = ["areas", "intersections", "ioa", "iou", "nms"]


def areas(boxes: Array, border: int = 0) -> Array:
    """Return the areas (N,) of `boxes`; 0 where a box ends before it begins."""
    sides = np.clip(boxes[:, 2:] - boxes[:, :2] + border, 0, None)
    product: Array = sides[:, 0] * sides[:, 1]
    return product


def intersections(first: Array, second: Array, border: int = 0) -> Array:
    """Return the areas (N, M) that `first` (N, 4) and `second` (M, 4) share."""
    low = np.maximum(first[:, np.newaxis, :2], second[np.newaxis, :, :2])
    high = np.minimum(first[:, np.newaxis, 2:], second[np.newaxis, :, 2:])
    sides = np.clip(high - low + border, 0, None)
    product: Array = sides[..., 0] * sides[..., 1]
    return product


def iou(first: Array, second: Array, border: int = 0) -> Array:
    """Return the intersection over union (N, M) of `first` (N, 4) and `second` (M, 4); 0 where both are empty."""
    shared = intersections(first, second, border)
    union = areas(first, border)[:, np.newaxis] + areas(second, border) - shared
    ratio: Array = np.divide(shared, union, out=np.zeros(shared.shape), where=union > 0)
    return ratio


def ioa(first: Array, second: Array, border: int = 0) -> Array:
    """Return how much of each of `first` (N, 4) lies in each of `second` (M, 4): (N, M); 0 of an empty box."""
    shared = intersections(first, second, border)
    whole = np.broadcast_to(areas(first, border)[:, np.newaxis], shared.shape)
    ratio: Array = np.divide(shared, whole, out=np.zeros(shared.shape), where=whole > 0)
    return ratio


def nms(boxes: Array, scores: Array, overlap: float, border: int = 0, use_min_area: bool = False) -> Array:
    """Return the indices of the boxes that greedy non-maximum suppression keeps, highest score first.

    Of equal scores the earlier box goes first.

    Args:
        boxes: (N, 4).
        scores: (N,).
        overlap: a box goes where it overlaps a kept one by more than this.
        border: see above.
        use_min_area: whether the overlap is the part of the smaller box instead of the intersection over union.
    """
    order = np.argsort(-scores, kind="stable")
    sizes, kept = areas(boxes, border), []
    while order.size:
        first, rest = order[0], order[1:]
        kept.append(first)
        shared = intersections(boxes[[first]], boxes[rest], border)[0]
        whole = np.minimum(sizes[first], sizes[rest]) if use_min_area else sizes[first] + sizes[rest] - shared
        ratio = np.divide(shared, whole, out=np.zeros(shared.shape), where=whole > 0)
        order = rest[ratio <= overlap]
    return np.array(kept, dtype=np.int64)
