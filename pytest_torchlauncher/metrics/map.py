"""Mean average precision of boxes as PASCAL VOC defines it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..registry import register
from ..types import Array, Boxes, DatasetMeta, MetricValue, ScoredBoxes
from ._matches import ClassMatches, Evidence, evidence_of, summarized
from ._voc import VocMatching

__all__ = ["MeanAveragePrecision"]


@register("map")
@dataclass(frozen=True, kw_only=True)
class MeanAveragePrecision(VocMatching):
    """The mean over the classes of the average precision, by PASCAL VOC's definition.

    A class with objects and no detection has 0, one without objects that are to be found is left out.

    Args:
        integral: max, the area under the highest precision at each recall or above (VOC 2010 and later), or 11point,
            the mean of that precision at recalls 0, 0.1, …, 1 (VOC 2007). Under accuracy_checker recalls of exactly
            0.3, 0.6 and 0.7 do not reach these points.
    """

    integral: Literal["max", "11point"] = "max"

    def observe(self, annotations: Sequence[Boxes], predictions: Sequence[ScoredBoxes]) -> Sequence[Evidence]:
        """Return the matches of each image.

        Raises:
            OutputError: boxes are not in px of the original image, or a score is NaN.
        """
        return [evidence_of(matches, self._average_precision) for matches in self.matched(annotations, predictions)]

    def summarize(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> MetricValue:
        """Return the mean average precision, that of each class by name, and that of each image alone.

        Raises:
            DataError: there is no sample, the dataset has no map of classes, or it lacks the label of an object.
        """
        return summarized(evidence, self._average_precision, meta)

    def _average_precision(self, found: ClassMatches) -> float:
        if self.is_left_out(len(found.scores), found.objects):
            return math.nan
        (right,), (wrong,) = found.counts
        if self.distinct_conf:
            last = np.flatnonzero(np.diff(found.scores, append=np.nan))
            right, wrong = right[last], wrong[last]
        precision, recall = right / np.maximum(right + wrong, 1), right / max(found.objects, 1)
        return self._eleven_points(precision, recall) if self.integral == "11point" else _area(precision, recall)

    def _eleven_points(self, precision: Array, recall: Array) -> float:
        # The quotient is exact where the recall is, the steps of arange are not.
        points = np.arange(0, 1.1, 0.1) if self.compat else np.arange(11) / 10
        return float(np.mean([precision[recall >= point].max(initial=0) for point in points]))


def _area(precision: Array, recall: Array) -> float:
    """Return the area under the highest `precision` (D,) at each `recall` (D,), which does not fall, or above."""
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.diff(recall, prepend=0.0) @ highest)
