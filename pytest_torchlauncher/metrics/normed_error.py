"""Error of landmarks in distances between the eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..kinds import Metric
from ..options import Compat
from ..registry import register
from ..types import Array, DatasetMeta, Landmarks, MetricValue
from ._landmarks import normed_distances

__all__ = ["NormedError"]


@register("normed_error")
@dataclass(frozen=True, kw_only=True)
class NormedError(Metric[Landmarks, Landmarks]):
    """The mean over the samples of the mean distance of a sample's landmarks, where 1 is the distance of the eyes.

    Args:
        calculate_std: whether the standard deviation over the samples is a component, too.
        percentile: the percentile of the samples' errors that is a component, too, from 1 to 100; 0 is none.
        compat: ``accuracy_checker``: as there, `value` is the mean of all components, and the percentile the error
            number ``int(samples / 100 * percentile)`` in ascending order, from 0, instead of interpolated.
    """

    calculate_std: bool = False
    percentile: int | None = None
    compat: Compat = None

    def __post_init__(self) -> None:
        """Check the percentile.

        Raises:
            ValueError: it is none.
        """
        if not 0 <= (self.percentile or 0) <= 100:
            raise ValueError(f"percentile: {self.percentile} found, 0 to 100 expected")

    def observe(self, annotations: Sequence[Landmarks], predictions: Sequence[Landmarks]) -> Sequence[float]:
        """Return the error of each sample.

        Raises:
            OutputError: points of another number or frame, or nobody knows where the eyes are.
        """
        return [float(normed_distances(*pair).mean()) for pair in zip(annotations, predictions, strict=True)]

    def summarize(self, evidence: Sequence[float], meta: DatasetMeta) -> MetricValue:
        """Return the mean, the components ``mean``, ``std`` and ``90th percentile``, and the error of each sample.

        Raises:
            DataError: there is no sample.
        """
        if not len(evidence):
            raise DataError("no sample found, at least one expected for a mean error")
        errors = np.array(evidence, dtype=np.float64)
        components = self._components(errors)
        value = float(np.mean(list(components.values()))) if self.compat else components["mean"]
        return MetricValue(value, components, errors, higher_is_better=False, bounded=False)

    def _components(self, errors: Array) -> dict[str, float]:
        components = {"mean": float(errors.mean())}
        if self.calculate_std:
            components["std"] = float(errors.std())
        if self.percentile:
            components[f"{self.percentile}th percentile"] = self._at_percentile(errors, self.percentile)
        return components

    def _at_percentile(self, errors: Array, percentile: int) -> float:
        if self.compat:
            return float(np.sort(errors)[min(int(len(errors) / 100 * percentile), len(errors) - 1)])
        return float(np.percentile(errors, percentile))
