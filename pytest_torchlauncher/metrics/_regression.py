"""Errors between annotated and estimated values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..errors import DataError, OutputError
from ..kinds import Metric
from ..options import Compat
from ..types import Array, DatasetMeta, DepthMap, Image, Matte, MetricValue, Values

__all__ = ["Quantity", "RegressionMetric"]

Quantity: TypeAlias = Values | Matte | DepthMap | Image


@dataclass(frozen=True, kw_only=True)
class RegressionMetric(Metric[Values | Matte | DepthMap | Image, Values | Matte | DepthMap | Image]):
    """Base of the errors between values: mean and standard deviation over the samples of each sample's error.

    Of depth maps only the pixels count whose depth is known.

    Args:
        max_error: whether the largest error of a sample is a component, too.
        compat: ``accuracy_checker``: as there, `value` is the mean of all components, the standard deviation among
            them; each number of a vector counts as a sample; and a depth map without a known pixel has no error.
    """

    max_error: bool = False
    compat: Compat = None

    @property
    def is_mean(self) -> bool:
        """Whether the value is the mean over the samples: it is, unless `compat` mixes components."""
        return self.compat is None

    def observe(self, annotations: Sequence[Quantity], predictions: Sequence[Quantity]) -> Sequence[Array]:
        """Return the error of each sample as an array of one; empty where no value is known.

        Raises:
            OutputError: an annotation and its prediction are of different sizes.
        """
        truth, estimates = _vectors(annotations), _vectors(predictions)
        if truth is not None and estimates is not None and truth.shape == estimates.shape:
            return list(self.errors(truth, estimates))
        return [self._observed(*pair) for pair in zip(annotations, predictions, strict=True)]

    def summarize(self, evidence: Sequence[Array], meta: DatasetMeta) -> MetricValue:
        """Return the mean, the components ``mean``, ``std`` and perhaps ``max_error``, and the error of each sample.

        Raises:
            DataError: there is no sample whose values are known.
        """
        errors = np.concatenate([np.zeros(0), *evidence])
        if not errors.size:
            raise DataError("no sample with known values found, at least one expected for a mean error")
        with np.errstate(invalid="ignore"):  # the deviation of an infinite error
            components = {"mean": float(errors.mean()), "std": float(errors.std())}
        if self.max_error:
            components["max_error"] = float(errors.max())
        value = float(np.mean(list(components.values()))) if self.compat else components["mean"]
        alone = all(sample.size == 1 for sample in evidence)
        per_sample = errors if alone else np.array([s.mean() if s.size else np.nan for s in evidence])
        return MetricValue(value, components, per_sample, higher_is_better=False, bounded=False)

    @abstractmethod
    def errors(self, truth: Array, estimate: Array) -> Array:
        """Return the error (N, 1) of each sample, of `truth` and `estimate` (N, …) float64; see `mean` for `compat`."""

    def mean(self, differences: Array) -> Array:
        """Return the mean (N, 1) of each sample's `differences` (N, …); under `compat` those of vectors as they are."""
        if self.compat and differences.ndim == 2:
            return differences
        means: Array = differences.mean(axis=tuple(range(1, differences.ndim)))
        return means[:, np.newaxis]

    def _observed(self, annotation: Quantity, prediction: Quantity) -> Array:
        truth, estimate = _alike(annotation.values, prediction.values)
        if isinstance(annotation, DepthMap) and annotation.valid.size:
            valid = annotation.valid.reshape(truth.shape)
            truth, estimate = truth[valid][np.newaxis], estimate[valid][np.newaxis]
        if not truth.size:
            return np.zeros(1 if self.compat else 0)
        errors: Array = self.errors(truth[np.newaxis], estimate[np.newaxis])[0]
        return errors


def _vectors(quantities: Sequence[Quantity]) -> Array | None:
    """Return vectors of one length, or numbers, as (N, K) float64; None of anything else."""
    shapes = {quantity.values.shape if isinstance(quantity, Values) else None for quantity in quantities}
    shape = shapes.pop() if len(shapes) == 1 else None
    if shape is None or len(shape) > 1 or 0 in shape:
        return None
    return np.array([quantity.values for quantity in quantities], dtype=np.float64).reshape(len(quantities), -1)


def _alike(truth: Array, estimate: Array) -> tuple[Array, Array]:
    """Return both as float64 of one shape; axes of length 1 may be missing in one of them."""
    if _sides(truth) != _sides(estimate):
        raise OutputError(
            f"a prediction {estimate.shape} for an annotation {truth.shape} found, equal shapes expected; let the "
            "adapter keep the shape, or resize one of them in the postprocessing"
        )
    shape = max(truth.shape, estimate.shape, key=len)
    return truth.reshape(shape).astype(np.float64), estimate.reshape(shape).astype(np.float64)


def _sides(values: Array) -> tuple[int, ...]:
    return tuple(side for side in values.shape if side != 1)
