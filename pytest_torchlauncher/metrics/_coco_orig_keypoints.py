"""COCO's own evaluation of keypoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from ..errors import OutputError
from ..types import Array, Keypoints, ScoredKeypoints
from ._coco_orig import CocoEvaluation, sides

__all__ = ["KeypointEvaluation"]

_SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
"""How far annotators differ, a keypoint of COCO's people, in parts of the square root of the area."""


@dataclass(frozen=True, kw_only=True)
class KeypointEvaluation(CocoEvaluation[Keypoints, ScoredKeypoints]):
    """Base of the evaluations of keypoints, by COCO's object keypoint similarity."""

    kind_of_overlap: ClassVar[Literal["bbox", "segm", "keypoints"]] = "keypoints"
    names: ClassVar[tuple[str, ...]] = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
    limit: ClassVar[int] = 20

    def checked(self, prediction: ScoredKeypoints) -> ScoredKeypoints:
        """Return `prediction`.

        Raises:
            OutputError: a score is NaN, or there are not 17 points.
        """
        _check_number(prediction.points, "predicted")
        return super().checked(prediction)

    def objects(self, annotation: Keypoints) -> Iterator[dict[str, Any]]:
        """Yield the points as x, y and visibility in turn, with their number and boxes."""
        rows = zip(annotation.points, annotation.visibility, sides(annotation.boxes, 0), strict=True)
        for points, visibility, box in rows:
            written = np.concatenate([points, visibility[:, np.newaxis]], axis=1).reshape(-1).tolist()
            yield {"keypoints": written, "num_keypoints": int((visibility > 0).sum()), "bbox": box}

    def detections(self, prediction: ScoredKeypoints) -> Iterator[dict[str, Any]]:
        """Yield the points as x, y and 1 in turn."""
        for points in prediction.points:
            yield {"keypoints": np.concatenate([points, np.ones((len(points), 1))], axis=1).reshape(-1).tolist()}

    def overlaps(self, annotation: Keypoints, prediction: ScoredKeypoints) -> Array:
        """Return the similarities (D, G) of the labelled points.

        Of objects that have none it is that of all points with the nearest place in the box, thrice as wide and high.

        Raises:
            OutputError: objects have not 17 points.
        """
        _check_number(annotation.points, "annotated")
        found = prediction.points.reshape(-1, 1, len(_SIGMAS), 2)
        low, high = annotation.boxes[:, np.newaxis, :2], annotation.boxes[:, np.newaxis, 2:]
        sizes, shown = high - low, annotation.visibility > 0
        beyond = np.maximum(low - sizes - found, 0) + np.maximum(found - high - sizes, 0)
        unlabelled = self._unlabelled(annotation)
        offsets = np.where(unlabelled[:, np.newaxis, np.newaxis], beyond, found - annotation.points)
        scaled = (offsets**2).sum(axis=-1) / (2 * _SIGMAS) ** 2 / (annotation.areas[:, np.newaxis] + np.spacing(1)) / 2
        counted = shown | unlabelled[:, np.newaxis]
        similar: Array = (np.exp(-scaled) * counted).sum(axis=-1) / counted.sum(axis=-1)
        return similar

    def ignored(self, annotation: Keypoints) -> Array:
        """Return which objects (G,) are crowds or have no labelled point."""
        return annotation.crowd | self._unlabelled(annotation)

    def _unlabelled(self, annotation: Keypoints) -> Array:
        none: Array = (annotation.visibility > 0).sum(axis=1) == 0
        return none


def _check_number(points: Array, whose: str) -> None:
    """Check that objects have as many `points` (N, K, 2) as COCO's people.

    Raises:
        OutputError: they have not.
    """
    if len(points) and points.shape[1] != len(_SIGMAS):
        raise OutputError(f"{points.shape[1]} {whose} keypoints found, the {len(_SIGMAS)} of COCO's people expected")
