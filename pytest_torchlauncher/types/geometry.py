"""Where the pixels of a model's input came from: the map between the original image and the input."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from ..opencv import opencv
from .arrays import Array, Frame, Size

__all__ = ["Geometry"]


def _identity() -> Array:
    return np.eye(3)


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """The map from the original image to the model's input.

    Coordinates are continuous: (0, 0) is the upper left corner of the image, the centre of its first pixel is
    (0.5, 0.5). Every step that moves pixels multiplies its own map from the left.

    Args:
        original: size of the image before preprocessing, px.
        current: size of the input, px.
        matrix: (3, 3) float64, takes (x, y, 1) of the original to the input.
        resized: size after the last resize, px; None where there was none.
        wanted: the size that the last resize had as its target, px, which it need not fill where it keeps the ratio.
    """

    original: Size
    current: Size
    matrix: Array = field(default_factory=_identity)
    resized: Size | None = None
    wanted: Size | None = None

    @classmethod
    def of(cls, size: Size) -> Geometry:
        """Return the geometry of an image of `size` that is as it was."""
        return cls(size, size)

    def resized_to(self, size: Size, wanted: Size | None = None) -> Geometry:
        """Return this geometry after the image was resized to `size`, which is then `resized`, for `wanted`."""
        return replace(self.stretched_to(size), resized=size, wanted=wanted or size)

    def stretched_to(self, size: Size) -> Geometry:
        """Return this geometry after the image was stretched to `size` within another step."""
        height, width = (new / old for new, old in zip(size, self.current, strict=True))
        return self.warped(np.diag([width, height, 1.0]), size)

    def cropped_to(self, top: int, left: int, size: Size) -> Geometry:
        """Return this geometry after `size` was cut out at (`left`, `top`); negative offsets add a border."""
        return self.warped(_translation(-left, -top), size)

    def padded_by(self, top: int, left: int, bottom: int, right: int) -> Geometry:
        """Return this geometry after a border was added."""
        height, width = self.current
        return self.warped(_translation(left, top), (height + top + bottom, width + left + right))

    def flipped(self, direction: Literal["horizontal", "vertical"]) -> Geometry:
        """Return this geometry after the image was mirrored left to right, or upside down."""
        height, width = self.current
        if direction == "horizontal":
            return self.warped(_translation(width, 0) @ np.diag([-1.0, 1.0, 1.0]), self.current)
        return self.warped(_translation(0, height) @ np.diag([1.0, -1.0, 1.0]), self.current)

    def warped(self, matrix: Array, size: Size) -> Geometry:
        """Return this geometry after `matrix` (3, 3) took the image to an image of `size`."""
        return replace(self, current=size, matrix=matrix @ self.matrix)

    @property
    def inverse(self) -> Array:
        """The map (3, 3) from the input to the original."""
        return np.linalg.inv(self.matrix)

    @property
    def is_unmoved(self) -> bool:
        """Whether the input is the original, pixel by pixel."""
        return self.original == self.current and bool(np.array_equal(self.matrix, np.eye(3)))

    @property
    def is_stretch(self) -> bool:
        """Whether the input is the whole original, stretched."""
        (height, width), (new_height, new_width) = self.original, self.current
        stretch = np.diag([new_width / width, new_height / height, 1.0])
        return bool(np.allclose(self.matrix, stretch, rtol=0, atol=1e-9))

    def points_to_input(self, points: Array) -> Array:
        """Return `points` (…, 2), x and y in the original, as points in the input, px."""
        return _mapped(self.matrix, points)

    def points_to_original(self, points: Array, frame: Frame = "input") -> Array:
        """Return `points` (…, 2), x and y in `frame`, as points in the original, px."""
        points = np.asarray(points, dtype=np.float64)
        if frame == "original":
            return points
        height, width = self.current
        return _mapped(self.inverse, points * (width, height) if frame == "normalized" else points)

    def boxes_to_input(self, boxes: Array) -> Array:
        """Return `boxes` (N, 4), corners in the original, as corners in the input, px."""
        return _around(self.points_to_input(_corners(boxes)))

    def boxes_to_original(self, boxes: Array, frame: Frame = "input") -> Array:
        """Return `boxes` (N, 4), corners in `frame`, as corners in the original, px; they are not clipped."""
        return _around(self.points_to_original(_corners(boxes), frame))

    def mask_to_original(self, mask: Array, outside: float = 0) -> Array:
        """Return `mask` (…, h, w), which covers the input at any resolution, over the original: (…, H, W).

        Every pixel takes the value at its centre: nearest neighbour, whatever the values mean.

        Args:
            mask: labels or scores of any dtype, channels first.
            outside: the value of pixels that the input does not show.
        """
        height, width = mask.shape[-2:]
        to_mask = np.diag([width / self.current[1], height / self.current[0], 1.0]) @ self.matrix
        x, y = (np.floor(axis + 1e-9).astype(np.int64) for axis in _grid(to_mask, self.original))
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        values = mask[..., np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
        return values if inside.all() else np.where(inside, values, np.asarray(outside, dtype=mask.dtype))

    def image_to_original(self, image: Array) -> Array:
        """Return `image` (h, w) or (h, w, C) float, which covers the input, over the original by bilinear values.

        Pixels that the input does not show take the value at its nearest border.
        """
        cv2 = opencv()

        height, width = image.shape[:2]
        values = image.astype(np.float32, copy=False)
        if self.is_stretch:
            stretched: Array = cv2.resize(values, self.original[::-1], interpolation=cv2.INTER_LINEAR)
            return stretched
        to_image = np.diag([width / self.current[1], height / self.current[0], 1.0]) @ self.matrix
        bottom, right = self.original
        corners = _mapped(to_image, np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]]))
        low, high = corners.min(axis=0), corners.max(axis=0)
        # What surrounds the image in the input, such as a border, is no part of it.
        x, y = (
            np.broadcast_to(np.clip(axis - 0.5, least, max(most - 1, least)), self.original).astype(np.float32)
            for axis, least, most in zip(_grid(to_image, self.original), low, high, strict=True)
        )
        warped: Array = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return warped


def _translation(x: float, y: float) -> Array:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _mapped(matrix: Array, points: Array) -> Array:
    points = np.asarray(points, dtype=np.float64)
    mapped: Array = points @ matrix[:2, :2].T + matrix[:2, 2]
    return mapped


def _corners(boxes: Array) -> Array:
    """Return all four corners (N, 4, 2) of `boxes` (N, 4), since a rotation may make any of them the outermost."""
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4)[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]


def _around(corners: Array) -> Array:
    """Return the boxes (N, 4) around `corners` (N, 4, 2)."""
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)


def _grid(matrix: Array, size: Size) -> tuple[Array, Array]:
    """Return x and y of all pixel centres of an image of `size` after `matrix`.

    Both broadcast to `size`; where the axes stay apart they are a row and a column, which is far less to compute.
    """
    height, width = size
    x, y = np.arange(width) + 0.5, (np.arange(height) + 0.5)[:, np.newaxis]
    (xx, xy, x0), (yx, yy, y0) = matrix[:2]
    return xx * x + x0 + (xy * y if xy else 0.0), yy * y + y0 + (yx * x if yx else 0.0)
