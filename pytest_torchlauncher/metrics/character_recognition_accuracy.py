"""How many texts are read without a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..kinds import Metric
from ..registry import register
from ..types import DatasetMeta, MetricValue, Text

__all__ = ["CharacterRecognitionAccuracy"]


@register("character_recognition_accuracy")
@dataclass(frozen=True, kw_only=True)
class CharacterRecognitionAccuracy(Metric[Text, Text]):
    """The fraction of samples whose text is the annotated one, character by character.

    Args:
        remove_spaces: whether spaces do not count.
    """

    remove_spaces: bool = False

    @property
    def is_mean(self) -> bool:
        """Whether the value is the mean over the samples: it is."""
        return True

    def observe(self, annotations: Sequence[Text], predictions: Sequence[Text]) -> Sequence[bool]:
        """Return whether each text is right."""
        pairs = zip(annotations, predictions, strict=True)
        return [self._compared(annotation) == self._compared(prediction) for annotation, prediction in pairs]

    def _compared(self, text: Text) -> str:
        return text.text.replace(" ", "") if self.remove_spaces else text.text

    def summarize(self, evidence: Sequence[bool], meta: DatasetMeta) -> MetricValue:
        """Return the fraction that is right, and 1 or 0 a sample.

        Raises:
            DataError: there is no sample.
        """
        if not len(evidence):
            raise DataError("no sample found, at least one expected for an accuracy")
        per_sample = np.array(evidence, dtype=np.float64)
        return MetricValue(float(per_sample.mean()), per_sample=per_sample)
