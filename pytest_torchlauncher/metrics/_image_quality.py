"""How close images come to those that were expected."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import DataError, OutputError
from ..kinds import Metric
from ..options import Compat
from ..types import Array, Color, DatasetMeta, Image, MetricValue

__all__ = ["ImageQuality"]

_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness of a pixel, ITU-R BT.601."""


@dataclass(frozen=True, kw_only=True)
class ImageQuality(Metric[Image, Image]):
    """Base of the measures between two images: mean and standard deviation over the samples.

    Where the prediction is gray and the annotation in colour, they are compared in gray.

    Args:
        max_error: whether the largest value of a sample is a component, too, under this name.
        compat: see the metric.
    """

    max_error: bool = False
    compat: Compat = None
    bounded: ClassVar[bool] = True
    unit: ClassVar[str] = ""

    def observe(self, annotations: Sequence[Image], predictions: Sequence[Image]) -> Sequence[float]:
        """Return the value of each sample.

        Raises:
            OutputError: an annotation and its prediction are of different sizes, or too small.
        """
        return [self._observed(*pair) for pair in zip(annotations, predictions, strict=True)]

    def summarize(self, evidence: Sequence[float], meta: DatasetMeta) -> MetricValue:
        """Return the mean, the components ``mean``, ``std`` and perhaps ``max_error``, and the value of each sample.

        Raises:
            DataError: there is no sample.
        """
        values = np.array(evidence, dtype=np.float64)
        if not values.size:
            raise DataError("no sample found, at least one expected for a mean")
        components = {"mean": float(values.mean()), "std": float(values.std())}
        if self.max_error:
            components["max_error"] = float(values.max())
        value = float(np.mean(list(components.values()))) if self.compat else components["mean"]
        return MetricValue(value, components, values, bounded=self.bounded, unit=self.unit)

    @abstractmethod
    def quality(self, truth: Array, estimate: Array, color: Color) -> float:
        """Return the value of one sample.

        Args:
            truth: the annotated image (H, W, C) float64.
            estimate: the predicted image (H, W, C) float64.
            color: the order of their channels.

        Raises:
            OutputError: they are too small.
        """

    def order(self, annotation: Image) -> Color:
        """Return the order of the channels, RGB where the annotation has none."""
        return annotation.color or "rgb"

    def _observed(self, annotation: Image, prediction: Image) -> float:
        truth, estimate = (image.values.astype(np.float64) for image in (annotation, prediction))
        color = self.order(annotation)
        if truth.shape[2] == 3 and estimate.shape[2] == 1:
            truth = truth[..., :: -1 if color == "bgr" else 1] @ np.array(_LUMA)[:, np.newaxis]
        if truth.shape != estimate.shape:
            raise OutputError(
                f"a prediction {estimate.shape} for an annotation {truth.shape} found, equal sizes and channels "
                "expected; put resize into the postprocessing"
            )
        return self.quality(truth, estimate, color)
