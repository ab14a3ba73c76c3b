"""Which class was predicted where which was annotated, pixel by pixel."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, OutputError
from ..kinds import Metric
from ..types import Array, DatasetMeta, Mask, MaskScores, MetricValue
from ._classes import class_names

__all__ = ["ConfusionMetric", "mean", "ratio"]


@dataclass(frozen=True, eq=False)
class Counts:
    """How many pixels (M,) have the classes `truth` and `predicted` (M,)."""

    truth: Array
    predicted: Array
    pixels: Array


@dataclass(frozen=True, kw_only=True)
class ConfusionMetric(Metric[Mask, Mask | MaskScores]):
    """Base of the metrics that follow from a confusion matrix over the pixels of all images.

    Pixels whose annotated or predicted label is none of the dataset's classes do not count.

    Args:
        use_argmax: whether predictions are scores, of which the highest is taken; labels are taken as they are.
        ignore_label: a class that does not count, whether annotated or predicted.
    """

    use_argmax: bool = True
    ignore_label: int | None = None

    def observe(self, annotations: Sequence[Mask], predictions: Sequence[Mask | MaskScores]) -> Sequence[Counts]:
        """Return the counts of each image.

        Raises:
            OutputError: a prediction has another size than its annotation, or the masks are no labels.
        """
        return [self._counts(*pair) for pair in zip(annotations, predictions, strict=True)]

    def summarize(self, evidence: Sequence[Counts], meta: DatasetMeta) -> MetricValue:
        """Return the value over all images, its parts by class name, and the value of each image alone.

        Raises:
            DataError: there is no image, or the dataset has no label_map.
        """
        if not len(evidence):
            raise DataError("no sample found, at least one expected for a confusion matrix")
        names = class_names(meta)
        size = max(names) + 1
        matrices = (self._matrix(counts, size) for counts in evidence)
        total, per_sample = np.zeros((size, size), dtype=np.int64), []
        for matrix in matrices:
            total += matrix
            per_sample.append(self.value(matrix))
        parts = self.by_class(total)
        components = {} if parts is None else {n: float(parts[i]) for i, n in names.items() if 0 <= i < size}
        known = {name: part for name, part in components.items() if not np.isnan(part)}
        return MetricValue(self.value(total), known, np.array(per_sample))

    @abstractmethod
    def value(self, matrix: Array) -> float:
        """Return the metric of a confusion matrix (C, C), rows for the annotated class; NaN where it has none."""

    def by_class(self, matrix: Array) -> Array | None:
        """Return the metric (C,) of each class, NaN where it has none; None where it has no parts."""
        return None

    def _counts(self, annotation: Mask, prediction: Mask | MaskScores) -> Counts:
        truth, predicted = annotation.labels, self._labels(prediction)
        if truth.ndim != 2:
            raise OutputError(f"annotation {truth.shape} found, labels (H, W) expected: add encode_segmentation_mask")
        if truth.shape != predicted.shape:
            raise OutputError(
                f"a prediction {predicted.shape} for an annotation {truth.shape} found, equal sizes expected; add "
                "resize_segmentation_mask"
            )
        counted = (truth >= 0) & (predicted >= 0)
        truth, predicted = truth[counted].astype(np.int64), predicted[counted].astype(np.int64)
        width = int(predicted.max(initial=0)) + 1
        counts = np.bincount(truth * width + predicted)
        found = np.flatnonzero(counts)
        return Counts(found // width, found % width, counts[found])

    def _labels(self, prediction: Mask | MaskScores) -> Array:
        if isinstance(prediction, Mask):
            return prediction.labels
        if not self.use_argmax:
            raise OutputError(
                f"scores {prediction.values.shape} found with use_argmax: false, labels expected; remove it, or let "
                "the adapter make_argmax"
            )
        return prediction.labels

    def _matrix(self, counts: Counts, size: int) -> Array:
        matrix = np.zeros((size, size), dtype=np.int64)
        kept = (counts.truth < size) & (counts.predicted < size)
        for side in (counts.truth, counts.predicted):
            kept &= side != (-1 if self.ignore_label is None else self.ignore_label)
        matrix[counts.truth[kept], counts.predicted[kept]] = counts.pixels[kept]
        return matrix


def ratio(part: Array, whole: Array) -> Array:
    """Return `part` / `whole`, NaN where `whole` is 0."""
    quotient: Array = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole != 0)
    return quotient


def mean(parts: Array) -> float:
    """Return the mean of those that are not NaN; NaN where all are."""
    known = parts[~np.isnan(parts)]
    return float(known.mean()) if known.size else float("nan")
