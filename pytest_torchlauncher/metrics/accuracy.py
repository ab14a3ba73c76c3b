"""Top-k accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..kinds import Metric
from ..options import PositiveInt
from ..registry import register
from ..types import DatasetMeta, Label, MetricValue, Scores
from ._ranking import hits

__all__ = ["Accuracy"]


@register("accuracy")
@dataclass(frozen=True, kw_only=True)
class Accuracy(Metric[Label, Scores | Label]):
    """The fraction of samples whose label is among the `top_k` largest scores.

    Of equal scores the lower class index goes first, so that top-1 is the argmax.

    Args:
        top_k: how many classes may be named.
        match: whether the predicted class itself counts, whatever `top_k` says.
        cast_to_int: accepted; labels are whole numbers in any case.
    """

    top_k: PositiveInt = 1
    match: bool = False
    cast_to_int: bool = False

    @property
    def is_mean(self) -> bool:
        """Whether the value is the mean over the samples: it is."""
        return True

    def observe(self, annotations: Sequence[Label], predictions: Sequence[Scores | Label]) -> Sequence[bool]:
        """Return whether each sample is right.

        Raises:
            OutputError: there are fewer than `top_k` classes, or a label is none of them.
        """
        return hits(annotations, predictions, 1 if self.match else self.top_k)

    def summarize(self, evidence: Sequence[bool], meta: DatasetMeta) -> MetricValue:
        """Return the fraction that is right, and 1 or 0 a sample.

        Raises:
            DataError: there is no sample.
        """
        if not len(evidence):
            raise DataError("no sample found, at least one expected for an accuracy")
        per_sample = np.array(evidence, dtype=np.float64)
        return MetricValue(float(per_sample.mean()), per_sample=per_sample)
