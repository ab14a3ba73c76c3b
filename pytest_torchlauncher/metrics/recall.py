"""Recall of boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..registry import register
from ..types import Boxes, DatasetMeta, MetricValue, ScoredBoxes
from ._matches import ClassMatches, Evidence, evidence_of, summarized
from ._voc import VocMatching

__all__ = ["Recall"]


@register("recall")
@dataclass(frozen=True, kw_only=True)
class Recall(VocMatching):
    """The mean over the classes of the fraction of a class's objects that are found, whatever the scores.

    A class without objects that are to be found is left out.
    """

    def observe(self, annotations: Sequence[Boxes], predictions: Sequence[ScoredBoxes]) -> Sequence[Evidence]:
        """Return the matches of each image.

        Raises:
            OutputError: boxes are not in px of the original image, or a score is NaN.
        """
        return [evidence_of(matches, self._recall) for matches in self.matched(annotations, predictions)]

    def summarize(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> MetricValue:
        """Return the mean recall, that of each class by name, and that of each image alone.

        Raises:
            DataError: there is no sample, the dataset has no map of classes, or it lacks the label of an object.
        """
        return summarized(evidence, self._recall, meta)

    def _recall(self, found: ClassMatches) -> float:
        if self.is_left_out(len(found.scores), found.objects):
            return math.nan
        return int((found.outcomes > 0).sum()) / max(found.objects, 1)
