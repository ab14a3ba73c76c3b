"""How many characters of the texts are read without a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..extras import require
from ..kinds import Metric
from ..registry import register
from ..types import DatasetMeta, MetricValue, Text

__all__ = ["LabelLevelRecognitionAccuracy"]


@register("label_level_recognition_accuracy")
@dataclass(frozen=True, kw_only=True)
class LabelLevelRecognitionAccuracy(Metric[Text, Text]):
    """One less the label error rate: the edits from all texts to the annotated ones, over the annotated characters.

    An edit inserts, deletes or replaces a character; where more are needed than there are characters the value is
    below 0. Graves et al., Connectionist Temporal Classification, ICML 2006, section 2.1, with one rate for all
    samples as in the Accuracy Checker, instead of the mean of the samples' rates.
    """

    def observe(self, annotations: Sequence[Text], predictions: Sequence[Text]) -> Sequence[tuple[int, int]]:
        """Return the edits of each sample and the characters of its annotated text.

        Raises:
            MissingExtraError: rapidfuzz is not installed.
        """
        distance = require("rapidfuzz.distance.Levenshtein", "text").distance
        pairs = zip(annotations, predictions, strict=True)
        return [(distance(prediction.text, annotation.text), len(annotation.text)) for annotation, prediction in pairs]

    def summarize(self, evidence: Sequence[tuple[int, int]], meta: DatasetMeta) -> MetricValue:
        """Return the accuracy of all samples, and that of each alone, NaN where its annotated text is empty.

        Raises:
            DataError: there is no sample, or no annotated character.
        """
        edits, characters = np.array(evidence, dtype=np.float64).reshape(-1, 2).T
        if not characters.sum():
            raise DataError(
                f"no character found in the annotated texts of {len(evidence)} samples, at least one expected"
            )
        rates = np.divide(edits, characters, out=np.full(len(edits), np.nan), where=characters > 0)
        return MetricValue(float(1 - edits.sum() / characters.sum()), per_sample=1 - rates)
