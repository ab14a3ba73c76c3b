"""Mean average precision of boxes as COCO defines it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..registry import register
from ..types import Boxes, DatasetMeta, MetricValue, ScoredBoxes
from ._coco import CocoMatching, class_precision
from ._matches import Evidence, evidence_of, summarized

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
        return [evidence_of(matches, class_precision) for matches in self.matched(annotations, predictions)]

    def summarize(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> MetricValue:
        """Return the mean average precision, that of each class by name, and that of each image alone.

        Raises:
            DataError: there is no sample, the dataset has no map of classes, or it lacks the label of an object.
        """
        return summarized(evidence, class_precision, meta)
