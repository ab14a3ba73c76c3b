"""Accuracy of the classes of boxes that were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ..errors import DataError
from ..registry import register
from ..types import Array, Boxes, DatasetMeta, MetricValue, ScoredBoxes
from ._classes import class_name, class_names
from ._matches import checked
from ._voc import BoxMetric

__all__ = ["DetectionAccuracy"]


@register("detection_accuracy")
@dataclass(frozen=True, kw_only=True)
class DetectionAccuracy(BoxMetric):
    """The fraction of the objects that were found, by a box of any class, whose class is right.

    The surest detection takes the free object that it overlaps most, by more than the threshold, then the next one.
    Which objects are difficult plays no part, so that the options about them have no effect, nor has distinct_conf.

    Args:
        use_normalization: whether to take the mean over all classes of the dataset, the background among them, where a
            class of which nothing was found counts as 0.
        ignore_label: the class whose objects do not count.
        fast_match: whether the pair that overlaps most is taken first, whatever the scores.
    """

    use_normalization: bool = False
    ignore_label: Annotated[int, Field(ge=0)] | None = None
    fast_match: bool = False

    def observe(self, annotations: Sequence[Boxes], predictions: Sequence[ScoredBoxes]) -> Sequence[Array]:
        """Return the labels (P, 2) int64 of the objects that were found and of their boxes, for each image.

        Raises:
            OutputError: boxes are not in px of the original image, or a score is NaN.
        """
        pairs = zip(annotations, map(checked, predictions), strict=True)
        return [self._labels(annotation, prediction) for annotation, prediction in pairs]

    def summarize(self, evidence: Sequence[Array], meta: DatasetMeta) -> MetricValue:
        """Return the accuracy, 0 where nothing was found, and that of each image.

        Raises:
            DataError: there is no sample, or the dataset has no map of classes or lacks one that is needed.
        """
        if not len(evidence):
            raise DataError("no sample found, at least one expected to compare boxes")
        pairs = np.concatenate(list(evidence))
        value = _balanced(pairs, meta) if self.use_normalization else _accuracy(pairs) if len(pairs) else 0.0
        return MetricValue(value, per_sample=np.array([_accuracy(one) if len(one) else np.nan for one in evidence]))

    def _labels(self, annotation: Boxes, prediction: ScoredBoxes) -> Array:
        overlaps = self.overlaps(prediction.boxes, annotation.boxes)
        match = _closest_first if self.fast_match else _surest_first
        found, objects = match(overlaps, prediction.scores, self.overlap_threshold)
        pairs = np.stack([annotation.labels[objects], prediction.labels[found]], axis=1)
        return pairs if self.ignore_label is None else pairs[pairs[:, 0] != self.ignore_label]


def _surest_first(overlaps: Array, scores: Array, threshold: float) -> tuple[list[int], list[int]]:
    free = np.where(overlaps > threshold, overlaps, 0.0)
    found, objects = [], []
    for index in np.argsort(-scores, kind="stable"):
        if free[index].any():
            found.append(int(index))
            objects.append(int(free[index].argmax()))
            free[:, objects[-1]] = 0
    return found, objects


def _closest_first(overlaps: Array, scores: Array, threshold: float) -> tuple[list[int], list[int]]:
    # Objects come first: of equal overlaps that of the first object is taken.
    free = np.where(overlaps > threshold, overlaps, 0.0).T.copy()
    found, objects = [], []
    while free.any():
        best, index = np.unravel_index(free.argmax(), free.shape)
        found.append(int(index))
        objects.append(int(best))
        free[best], free[:, index] = 0, 0
    return found, objects


def _accuracy(pairs: Array) -> float:
    return float((pairs[:, 0] == pairs[:, 1]).mean())


def _balanced(pairs: Array, meta: DatasetMeta) -> float:
    """Return the mean over all classes of their accuracy."""
    names = class_names(meta)
    for label in np.unique(pairs):
        class_name(names, int(label))
    return float(np.mean([_accuracy(own) if len(own := pairs[pairs[:, 0] == label]) else 0.0 for label in names]))
