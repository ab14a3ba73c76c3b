"""Top-k accuracy of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import DataError
from ..kinds import Metric
from ..options import PositiveInt
from ..registry import register
from ..types import DatasetMeta, Label, MetricValue, Scores
from ._classes import class_name, class_names
from ._ranking import hits

__all__ = ["AccuracyPerClass"]


@register("accuracy_per_class")
@dataclass(frozen=True, kw_only=True)
class AccuracyPerClass(Metric[Label, Scores | Label]):
    """The mean over the classes of the fraction of a class's samples that are right: balanced accuracy.

    A class without samples has no accuracy and is left out, as in scikit-learn's ``balanced_accuracy_score``.

    Args:
        top_k: how many classes may be named.
        label_map: the name of the dataset's map of classes.
    """

    top_k: PositiveInt = 1
    label_map: Literal["label_map"] = "label_map"

    def observe(
        self, annotations: Sequence[Label], predictions: Sequence[Scores | Label]
    ) -> Sequence[tuple[int, bool]]:
        """Return the label of each sample and whether it is right.

        Raises:
            OutputError: there are fewer than `top_k` classes, or a label is none of them.
        """
        labels = [annotation.index for annotation in annotations]
        return list(zip(labels, hits(annotations, predictions, self.top_k), strict=True))

    def summarize(self, evidence: Sequence[tuple[int, bool]], meta: DatasetMeta) -> MetricValue:
        """Return the mean, the accuracy of each class that occurs under its name, and 1 or 0 a sample.

        Raises:
            DataError: there is no sample, the dataset has no map of classes, or it lacks a label.
        """
        if not len(evidence):
            raise DataError("no sample found, at least one expected for an accuracy")
        labels, place = np.unique([label for label, _ in evidence], return_inverse=True)
        per_sample = np.array([right for _, right in evidence], dtype=np.float64)
        names = class_names(meta)
        fractions = np.bincount(place, per_sample) / np.bincount(place)
        components = {
            class_name(names, label): fraction for label, fraction in zip(labels, fractions.tolist(), strict=True)
        }
        return MetricValue(float(np.mean(list(components.values()))), components, per_sample)
