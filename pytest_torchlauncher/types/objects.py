"""Objects of an image as parallel arrays: boxes, masks and keypoints, annotated and predicted.

Coordinates are as in `representations`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import OutputError
from .arrays import Array, Frame, Size

__all__ = ["Boxes", "InstanceMasks", "Keypoints", "Rle", "ScoredBoxes", "ScoredKeypoints", "ScoredMasks"]

_NOT_GIVEN: Array = np.zeros(0)


def _not_given() -> Array:
    return _NOT_GIVEN


class _Objects:
    """Objects of one image: parallel arrays, of which those that are not given hold zeros."""

    __slots__ = ()
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, keep: Array) -> Any:
        """Return these objects without those for which `keep`, (N,) bool or indices, has none; the order is its."""
        indices = np.flatnonzero(keep) if keep.dtype == bool else keep
        chosen: dict[str, Any] = {}
        for name in self.__dataclass_fields__:  # type: ignore[attr-defined]  # every subclass is a dataclass
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                chosen[name] = value[indices]
            elif isinstance(value, tuple):
                chosen[name] = tuple(value[index] for index in indices)
        return replace(self, **chosen)  # type: ignore[type-var]  # every subclass is a dataclass

    def __post_init__(self) -> None:
        """Fill in what is not given.

        Raises:
            OutputError: the arrays are of different lengths.
        """
        for name, default in self._defaults().items():
            if getattr(self, name) is _NOT_GIVEN:
                object.__setattr__(self, name, default)
        columns = ((name, getattr(self, name)) for name in self.__dataclass_fields__)  # type: ignore[attr-defined]  # as above
        lengths = {name: len(column) for name, column in columns if not isinstance(column, str)}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{length} {name}" for name, length in lengths.items())
            raise OutputError(f"{told} found, as many of each expected")

    def _defaults(self) -> dict[str, Array]:
        return {}


@dataclass(frozen=True, slots=True, eq=False)
class Boxes(_Objects):
    """Annotated boxes of an image.

    Args:
        boxes: (N, 4) float64, x_min, y_min, x_max, y_max.
        labels: (N,) int64.
        difficult: (N,) bool, objects that are neither to be found nor held against a prediction.
        crowd: (N,) bool, boxes around many objects at once.
        areas: (N,) float64 px², as annotated (COCO: of the segment); that of the box where it is not given.
    """

    boxes: Array
    labels: Array
    difficult: Array = field(default_factory=_not_given)
    crowd: Array = field(default_factory=_not_given)
    areas: Array = field(default_factory=_not_given)

    def _defaults(self) -> dict[str, Array]:
        none = np.zeros(len(self.labels), dtype=bool)
        return {"difficult": none, "crowd": none, "areas": _areas(self.boxes)}


@dataclass(frozen=True, slots=True, eq=False)
class ScoredBoxes(_Objects):
    """Predicted boxes of an image.

    Args:
        boxes: (N, 4) float64, x_min, y_min, x_max, y_max in `frame`.
        labels: (N,) int64.
        scores: (N,) float64, higher is surer.
        frame: what the coordinates refer to.
        difficult: (N,) bool, boxes that a filter set aside: no metric holds them against the model.
    """

    boxes: Array
    labels: Array
    scores: Array
    frame: Frame = "original"
    difficult: Array = field(default_factory=_not_given)

    def _defaults(self) -> dict[str, Array]:
        return {"difficult": np.zeros(len(self.labels), dtype=bool)}


@dataclass(frozen=True, slots=True)
class Rle:
    """A binary mask of `size` px in COCO's compressed run lengths, as pycocotools and faster-coco-eval write them."""

    size: Size
    counts: bytes


@dataclass(frozen=True, slots=True, eq=False)
class InstanceMasks(_Objects):
    """Annotated objects of an image by their masks, at the size of the original image.

    Args:
        masks: N masks.
        labels: (N,) int64.
        boxes: (N, 4) float64, as annotated.
        difficult: (N,) bool, see `Boxes`.
        crowd: (N,) bool, see `Boxes`.
        areas: (N,) float64 px², as annotated.
    """

    masks: tuple[Rle, ...]
    labels: Array
    boxes: Array
    difficult: Array = field(default_factory=_not_given)
    crowd: Array = field(default_factory=_not_given)
    areas: Array = field(default_factory=_not_given)

    def _defaults(self) -> dict[str, Array]:
        none = np.zeros(len(self.labels), dtype=bool)
        return {"difficult": none, "crowd": none, "areas": _areas(self.boxes)}


@dataclass(frozen=True, slots=True, eq=False)
class ScoredMasks(_Objects):
    """Predicted objects of an image by their masks, at the size of the original image.

    Args:
        masks: N masks.
        labels: (N,) int64.
        scores: (N,) float64.
    """

    masks: tuple[Rle, ...]
    labels: Array
    scores: Array


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints(_Objects):
    """Annotated keypoints of the objects of an image.

    Args:
        points: (N, K, 2) float64, x and y.
        visibility: (N, K) int64, 0 not labelled, 1 hidden, 2 visible.
        labels: (N,) int64.
        boxes: (N, 4) float64.
        areas: (N,) float64 px², as annotated.
        difficult: (N,) bool, see `Boxes`.
        crowd: (N,) bool, see `Boxes`.
    """

    points: Array
    visibility: Array
    labels: Array
    boxes: Array
    areas: Array = field(default_factory=_not_given)
    difficult: Array = field(default_factory=_not_given)
    crowd: Array = field(default_factory=_not_given)

    def _defaults(self) -> dict[str, Array]:
        none = np.zeros(len(self.labels), dtype=bool)
        return {"difficult": none, "crowd": none, "areas": _areas(self.boxes)}


@dataclass(frozen=True, slots=True, eq=False)
class ScoredKeypoints(_Objects):
    """Predicted keypoints of the objects of an image.

    Args:
        points: (N, K, 2) float64, x and y.
        point_scores: (N, K) float64, of each point.
        labels: (N,) int64.
        scores: (N,) float64, of each object.
    """

    points: Array
    point_scores: Array
    labels: Array
    scores: Array


def _areas(boxes: Array) -> Array:
    sides = boxes.reshape(-1, 4)[:, 2:] - boxes.reshape(-1, 4)[:, :2]
    areas: Array = sides[:, 0] * sides[:, 1]
    return areas
