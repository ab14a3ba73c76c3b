"""Matching of detections to objects as COCO does it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import boxes
from ..kinds import Metric
from ..options import Compat, PositiveInt
from ..types import Array, Boxes, Curve, DatasetMeta, ScoredBoxes
from ._matches import ClassMatches, Evidence, Matches, checked, precision_recall
from ._thresholds import COCO_THRESHOLDS, Thresholds

__all__ = ["CocoMatching", "average_precision", "class_precision", "matched_overlaps"]


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

    def curves(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> Mapping[str, Curve]:
        """Return the curves of precision over recall; see `precision_recall`."""
        return precision_recall([one.matches for one in evidence], meta)

    def _matched(self, annotation: Boxes, prediction: ScoredBoxes) -> Matches:
        # Of equal overlaps COCO takes the last object; argmax finds the first.
        annotation = annotation.where(np.arange(len(annotation))[::-1])
        ranks = _ranks(prediction)
        order = np.argsort(-prediction.scores, kind="stable")
        order = order[ranks[order] < (self.max_detections or (20 if self.compat else 100))]
        prediction = prediction.where(order)
        takes = (ranks[order] > 0) | (self.compat is None)
        outcomes = _outcomes(self._overlaps(annotation, prediction), annotation, self.threshold, takes)
        outcomes[:, prediction.difficult] = 0
        objects = annotation.labels[~(annotation.difficult | annotation.crowd)]
        return Matches(prediction.labels, prediction.scores, outcomes, objects)

    def _overlaps(self, annotation: Boxes, prediction: ScoredBoxes) -> Array:
        """Return the overlaps (D, G); -1 with objects of another class."""
        overlaps = boxes.iou(prediction.boxes, annotation.boxes)
        if self.compat:
            overlaps = overlaps.astype(np.float32)
        elif annotation.crowd.any():
            overlaps = np.where(annotation.crowd, boxes.ioa(prediction.boxes, annotation.boxes), overlaps)
        return np.where(prediction.labels[:, np.newaxis] == annotation.labels, overlaps, -1)


def matched_overlaps(
    annotation: Any, prediction: Any, overlaps: Array, ignored: Array, threshold: Sequence[float], limit: int
) -> Matches:
    """Return the matches of one image at each `threshold`.

    Args:
        annotation: objects with ``labels``, ``difficult`` and ``crowd``, of which the difficult count like others.
        prediction: detections with ``labels`` and ``scores``.
        overlaps: (D, G), classes left aside.
        ignored: (G,) bool, objects that need not be found.
        threshold: the overlaps with which an object is found.
        limit: how many detections of a class count, the surest.
    """
    last = np.arange(len(annotation))[::-1]
    order = np.argsort(-prediction.scores, kind="stable")
    order = order[_ranks(prediction)[order] < limit]
    annotation, labels = replace(annotation, difficult=ignored).where(last), prediction.labels[order]
    near = np.where(labels[:, np.newaxis] == annotation.labels, overlaps[order][:, last], -1)
    outcomes = _outcomes(near, annotation, threshold, np.ones(len(order), dtype=bool))
    return Matches(labels, prediction.scores[order], outcomes, annotation.labels[~annotation.difficult])


def average_precision(matches: Matches) -> float:
    """Return the mean of `class_precision` over the classes that have objects; NaN where none has.

    All classes go at once: an image has many, with few detections each.
    """
    classes, objects = np.unique(matches.objects, return_counts=True)
    if not classes.size:
        return math.nan
    order = np.lexsort((-matches.scores, matches.labels))
    order = order[np.isin(matches.labels[order], classes)]
    group = np.searchsorted(classes, matches.labels[order])
    first = np.searchsorted(group, group)
    outcomes = matches.outcomes[:, order]
    right, wrong = (_within(found, first) for found in (outcomes > 0, outcomes < 0))
    # Of later classes the precisions are shifted below those of earlier ones, which their maximum must not reach.
    shifted = right / np.maximum(right + wrong, 1) - 2 * group
    highest = np.maximum.accumulate(shifted[:, ::-1], axis=1)[:, ::-1] + 2 * group
    reached = np.searchsorted(_RECALLS, right / objects[group], side="right")
    before = np.where(first == np.arange(len(first)), 0, np.roll(reached, 1, axis=1))
    return float(((reached - before) * highest).sum() / (len(_RECALLS) * len(classes) * len(outcomes)))


def _within(found: Array, first: Array) -> Array:
    """Return how many are `found` (T, D) up to each, from the `first` (D,) of its class on."""
    total = found.cumsum(axis=1)
    counts: Array = total - np.where(first > 0, total[:, first - 1], 0)
    return counts


_RECALLS = np.linspace(0, 1, 101)


def class_precision(found: ClassMatches) -> float:
    """Return COCO's average precision of one class over its thresholds; NaN without objects."""
    if not found.objects:
        return math.nan
    right, wrong = found.counts
    recall, precision = right / found.objects, right / np.maximum(right + wrong, 1)
    highest = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # Recalls that are not reached have precision 0, the column at the end.
    places = [np.searchsorted(row, _RECALLS) for row in recall]
    return float(np.take_along_axis(np.pad(highest, ((0, 0), (0, 1))), np.stack(places), axis=1).mean())


def _outcomes(overlaps: Array, annotation: Any, threshold: Sequence[float], takes: Array) -> Array:
    """Return the outcomes (T, D).

    Args:
        overlaps: (D, G), -1 with objects of another class; detections by falling score.
        annotation: the objects.
        threshold: the overlaps with which an object is found.
        takes: (D,) which detections make an object theirs.
    """
    ignored = annotation.difficult | annotation.crowd
    limits = np.minimum(threshold, 1 - 1e-10)[:, np.newaxis]
    outcomes = np.full((len(limits), len(overlaps)), -1, dtype=np.int8)
    candidates = overlaps >= limits.min()
    if (candidates.sum(axis=0) <= 1).all() and (candidates.sum(axis=1) <= 1).all():
        # No two want the same, as on most images: nothing depends on the order.
        found, taken = np.nonzero(candidates)
        outcomes[:, found] = np.where(overlaps[found, taken] >= limits, ~ignored[taken], -1)
        return outcomes
    free = np.ones((len(limits), len(ignored)), dtype=bool)
    for index in np.flatnonzero(candidates.any(axis=1)):
        near = free & (overlaps[index] >= limits)
        ordinary = near & ~ignored
        allowed = np.where(ordinary.any(axis=1, keepdims=True), ordinary, near)
        (hit,) = np.nonzero(near.any(axis=1))
        best = np.where(allowed, overlaps[index], -1)[hit].argmax(axis=1)
        outcomes[hit, index] = ~ignored[best]
        free[hit, best] = annotation.crowd[best] | ~takes[index]
    return outcomes


def _ranks(prediction: Any) -> Array:
    """Return the place (D,) of each detection among those of its class by falling score, from 0."""
    order = np.lexsort((-prediction.scores, prediction.labels))
    labels, ranks = prediction.labels[order], np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - np.searchsorted(labels, labels)
    return ranks
