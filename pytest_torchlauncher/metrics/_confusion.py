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

__all__ = ["ConfusionMetric", "diagonal", "mean", "ratio"]

_CELLS = 2**20
"""How many numbers of confusion matrices are held at a time."""


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
        total, per_sample = np.zeros((size, size), dtype=np.int64), []
        block = max(_CELLS // size**2, 1)
        for start in range(0, len(evidence), block):
            matrices = self._matrices(evidence[start : start + block], size)
            total += matrices.sum(axis=0)
            per_sample.append(self.values(matrices))
        parts = self.by_class(total)
        components = {} if parts is None else {n: float(parts[i]) for i, n in names.items() if 0 <= i < size}
        known = {name: part for name, part in components.items() if not np.isnan(part)}
        return MetricValue(float(self.values(total)), known, np.concatenate(per_sample))

    @abstractmethod
    def values(self, matrices: Array) -> Array:
        """Return the metric (…) of `matrices` (…, C, C), rows for the annotated class; NaN where there is none."""

    def by_class(self, matrices: Array) -> Array | None:
        """Return the metric (…, C) of each class, NaN where it has none; None where it has no parts."""
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
        # Few masks have pixels without a class, and picking the others costs as much as counting them.
        if not min(truth.min(initial=0), predicted.min(initial=0)) >= 0:
            counted = (truth >= 0) & (predicted >= 0)
            truth, predicted = truth[counted], predicted[counted]
        width = int(predicted.max(initial=0)) + 1
        pairs = truth.astype(np.int64)
        pairs *= width
        pairs += predicted.astype(np.int64, copy=False)
        counts = np.bincount(pairs.reshape(-1))
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

    def _matrices(self, evidence: Sequence[Counts], size: int) -> Array:
        """Return the confusion matrix of each image, (N, C, C)."""
        matrices = np.zeros((len(evidence), size, size), dtype=np.int64)
        image = np.repeat(np.arange(len(evidence)), [len(counts.pixels) for counts in evidence])
        truth, predicted, pixels = (
            np.concatenate([getattr(counts, name) for counts in evidence]) for name in ("truth", "predicted", "pixels")
        )
        kept = (truth < size) & (predicted < size)
        if self.ignore_label is not None:
            kept &= (truth != self.ignore_label) & (predicted != self.ignore_label)
        matrices[image[kept], truth[kept], predicted[kept]] = pixels[kept]
        return matrices


def ratio(part: Array, whole: Array) -> Array:
    """Return `part` / `whole`, NaN where `whole` is 0."""
    quotient: Array = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole != 0)
    return quotient


def mean(parts: Array) -> Array:
    """Return the mean (…) over the last axis of `parts` of those that are not NaN; NaN where all are."""
    known = ~np.isnan(parts)
    counts = known.sum(axis=-1)
    means = np.full(counts.shape, np.nan)
    # Rows of one length are summed as each would be alone, so that a mean does not depend on its neighbours.
    for count in np.unique(counts[counts > 0]):
        rows = counts == count
        means[rows] = parts[rows][known[rows]].reshape(-1, count).mean(axis=1)
    return means


def diagonal(matrices: Array) -> Array:
    """Return the diagonals (…, C) of `matrices` (…, C, C)."""
    return np.diagonal(matrices, axis1=-2, axis2=-1)
