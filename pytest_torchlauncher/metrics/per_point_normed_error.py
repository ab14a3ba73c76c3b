"""Error of each landmark in distances between the eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..kinds import Metric
from ..registry import register
from ..types import Array, DatasetMeta, Landmarks, MetricValue
from ._landmarks import normed_distances

__all__ = ["PerPointNormedError"]


@register("per_point_normed_error")
@dataclass(frozen=True, kw_only=True)
class PerPointNormedError(Metric[Landmarks, Landmarks]):
    """The mean distance of each landmark over the samples, where 1 is the distance of the eyes; and their mean."""

    def observe(self, annotations: Sequence[Landmarks], predictions: Sequence[Landmarks]) -> Sequence[Array]:
        """Return the errors (K,) of the landmarks of each sample.

        Raises:
            OutputError: points of another number or frame, or nobody knows where the eyes are.
        """
        return [normed_distances(*pair) for pair in zip(annotations, predictions, strict=True)]

    def summarize(self, evidence: Sequence[Array], meta: DatasetMeta) -> MetricValue:
        """Return the mean, a component ``point_<i>_normed_error`` a landmark, and the mean error of each sample.

        Raises:
            DataError: there is no sample, or they have different numbers of landmarks.
        """
        counts = sorted({len(errors) for errors in evidence})
        if len(counts) != 1:
            numbers = " and ".join(map(str, counts)) or "no"
            raise DataError(f"samples with {numbers} landmarks found, the same number in all expected")
        errors = np.stack(evidence)
        components = {f"point_{i}_normed_error": float(error) for i, error in enumerate(errors.mean(axis=0))}
        return MetricValue(float(errors.mean()), components, errors.mean(axis=1), higher_is_better=False, bounded=False)
