"""Matching of detections to objects as COCO does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import boxes
from ..kinds import Metric
from ..options import Compat, PositiveInt
from ..types import Array, Boxes, ScoredBoxes
from ._matches import Matches, checked
from ._thresholds import COCO_THRESHOLDS, Thresholds

__all__ = ["CocoMatching"]


@dataclass(frozen=True, kw_only=True)
class CocoMatching(Metric[Boxes, ScoredBoxes]):
    """Base of the metrics for which the surest detection takes the free object of its class that it overlaps most.

    A detection of a difficult object, which it takes only where it finds no other, counts for nothing; so do all that
    lie in a crowd. See pycocotools' COCOeval; objects of every size are looked at.

    Args:
        threshold: the overlaps with which an object is found, which are averaged over: a number, several, or
            first:step:last.
        max_detections: how many detections of a class on an image count, the surest; by default 100, and 20 under
            accuracy_checker.
        compat: under accuracy_checker an object that the surest detection of its class took is still free, overlaps
            are of single precision, and that with a crowd is an intersection over union.
    """

    threshold: Thresholds = COCO_THRESHOLDS
    max_detections: PositiveInt | None = None
    compat: Compat = None

    def matched(self, annotations: Sequence[Boxes], predictions: Sequence[ScoredBoxes]) -> list[Matches]:
        """Return the matches of each image.

        Raises:
            OutputError: boxes are not in px of the original image, or a score is NaN.
        """
        pairs = zip(annotations, map(checked, predictions), strict=True)
        return [self._matched(annotation, prediction) for annotation, prediction in pairs]

    def _matched(self, annotation: Boxes, prediction: ScoredBoxes) -> Matches:
        # Of equal overlaps COCO takes the last object; argmax finds the first.
        annotation = annotation.where(np.arange(len(annotation))[::-1])
        ranks = _ranks(prediction)
        order = np.argsort(-prediction.scores, kind="stable")
        order = order[ranks[order] < (self.max_detections or (20 if self.compat else 100))]
        prediction = prediction.where(order)
        outcomes = self._outcomes(annotation, prediction, takes=(ranks[order] > 0) | (self.compat is None))
        outcomes[:, prediction.difficult] = 0
        objects = annotation.labels[~(annotation.difficult | annotation.crowd)]
        return Matches(prediction.labels, prediction.scores, outcomes, objects)

    def _outcomes(self, annotation: Boxes, prediction: ScoredBoxes, takes: Array) -> Array:
        """Return the outcomes (T, D); `takes` (D,) tells which detections make an object theirs."""
        overlaps, ignored = self._overlaps(annotation, prediction), annotation.difficult | annotation.crowd
        limits = np.minimum(self.threshold, 1 - 1e-10)[:, np.newaxis]
        outcomes = np.full((len(limits), len(prediction)), -1, dtype=np.int8)
        free = np.ones((len(limits), len(annotation)), dtype=bool)
        for index in np.flatnonzero(overlaps.max(axis=1, initial=-1) >= limits.min()):
            near = free & (overlaps[index] >= limits)
            ordinary = near & ~ignored
            allowed = np.where(ordinary.any(axis=1, keepdims=True), ordinary, near)
            (hit,) = np.nonzero(near.any(axis=1))
            best = np.where(allowed, overlaps[index], -1)[hit].argmax(axis=1)
            outcomes[hit, index] = ~ignored[best]
            free[hit, best] = annotation.crowd[best] | ~takes[index]
        return outcomes

    def _overlaps(self, annotation: Boxes, prediction: ScoredBoxes) -> Array:
        """Return the overlaps (D, G); -1 with objects of another class."""
        overlaps = boxes.iou(prediction.boxes, annotation.boxes)
        if self.compat:
            overlaps = overlaps.astype(np.float32)
        elif annotation.crowd.any():
            overlaps = np.where(annotation.crowd, boxes.ioa(prediction.boxes, annotation.boxes), overlaps)
        return np.where(prediction.labels[:, np.newaxis] == annotation.labels, overlaps, -1)


def _ranks(prediction: ScoredBoxes) -> Array:
    """Return the place (D,) of each detection among those of its class by falling score, from 0."""
    order = np.lexsort((-prediction.scores, prediction.labels))
    labels, ranks = prediction.labels[order], np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - np.searchsorted(labels, labels)
    return ranks
