"""What can be drawn of an annotation or prediction on a small picture of its sample."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .arrays import Array

__all__ = ["FULL", "NO_CLASS", "Drawing"]

FULL = 65535
"""The coordinate of the image's right and lower edge."""
NO_CLASS = 255
"""What stands in a mask for pixels without a class."""


def _none(*shape: int) -> Array:
    return np.zeros(shape, dtype=np.uint16)


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A few boxes, points, a coarse mask or a text: small enough to be kept of every sample beside a baseline.

    Coordinates run from 0 to `FULL` over width and height of the original image.

    Args:
        text: what a model read or estimated, empty where that is not text.
        boxes: (N, 4) uint16, x_min, y_min, x_max, y_max, the surest first.
        labels: (N,) int64, their classes.
        scores: (N,) uint8, per cent; 100 for annotated boxes.
        points: (K, 2) uint16, x and y.
        mask: (H, W) uint8, classes at a few px, `NO_CLASS` where there is none.
    """

    text: str = ""
    boxes: Array = field(default_factory=lambda: _none(0, 4))
    labels: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    scores: Array = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    points: Array = field(default_factory=lambda: _none(0, 2))
    mask: Array = field(default_factory=lambda: np.zeros((0, 0), dtype=np.uint8))
