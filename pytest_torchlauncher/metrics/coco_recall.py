"""Average recall of boxes as COCO defines it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..registry import register
from ..types import Boxes, DatasetMeta, MetricValue, ScoredBoxes
from ._coco import CocoMatching
from ._matches import ClassMatches, Evidence, evidence_of, summarized

__all__ = ["CocoRecall"]


@register("coco_recall")
@dataclass(frozen=True, kw_only=True)
class CocoRecall(CocoMatching):
    """The mean over the classes and thresholds of the fraction of a class's objects that are found: COCO's AR.

    A class without objects that are to be found is left out.
    """

    def observe(self, annotations: Sequence[Boxes], predictions: Sequence[ScoredBoxes]) -> Sequence[Evidence]:
        """Return the matches of each image.

        Raises:
            OutputError: boxes are not in px of the original image, or a score is NaN.
        """
        return [evidence_of(matches, _recall) for matches in self.matched(annotations, predictions)]

    def summarize(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> MetricValue:
        """Return the mean recall, that of each class by name, and that of each image alone.

        Raises:
            DataError: there is no sample, the dataset has no map of classes, or it lacks the label of an object.
        """
        return summarized(evidence, _recall, meta)


def _recall(found: ClassMatches) -> float:
    if not found.objects:
        return math.nan
    return float((found.outcomes > 0).sum(axis=1).mean() / found.objects)
