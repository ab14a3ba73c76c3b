"""Mean average precision of boxes as COCO defines it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Boxes, DatasetMeta, MetricValue, ScoredBoxes
from ._coco import CocoMatching
from ._matches import ClassMatches, Evidence, evidence_of, summarized

__all__ = ["CocoPrecision"]


@register("coco_precision")
@dataclass(frozen=True, kw_only=True)
class CocoPrecision(CocoMatching):
    """The mean over the classes of COCO's average precision, with its defaults AP over 0.5, 0.55, …, 0.95.

    It is the mean over the thresholds and over 101 recalls of the highest precision at this recall or above. A class
    without objects that are to be found is left out.
    """

    def observe(self, annotations: Sequence[Boxes], predictions: Sequence[ScoredBoxes]) -> Sequence[Evidence]:
        """Return the matches of each image.

        Raises:
            OutputError: boxes are not in px of the original image, or a score is NaN.
        """
        return [evidence_of(matches, _average_precision) for matches in self.matched(annotations, predictions)]

    def summarize(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> MetricValue:
        """Return the mean average precision, that of each class by name, and that of each image alone.

        Raises:
            DataError: there is no sample, the dataset has no map of classes, or it lacks the label of an object.
        """
        return summarized(evidence, _average_precision, meta)


_RECALLS = np.linspace(0, 1, 101)


def _average_precision(found: ClassMatches) -> float:
    if not found.objects:
        return math.nan
    right, wrong = found.counts
    recall, precision = right / found.objects, right / np.maximum(right + wrong, 1)
    highest = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # Recalls that are not reached have precision 0, the column at the end.
    places = [np.searchsorted(row, _RECALLS) for row in recall]
    return float(np.take_along_axis(np.pad(highest, ((0, 0), (0, 1))), np.stack(places), axis=1).mean())
