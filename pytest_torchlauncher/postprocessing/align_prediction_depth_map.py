"""Predicted depth at the scale of the annotated one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..errors import OutputError
from ..registry import register
from ..types import Array, DepthMap, Named, Pair
from ._targets import Targeted

__all__ = ["AlignPredictionDepthMap"]


@register("align_prediction_depth_map")
@dataclass(frozen=True, kw_only=True)
class AlignPredictionDepthMap(Targeted):
    """Multiplies and shifts predicted depth so that it comes as close as it can to the annotated one.

    Scale and shift minimize the squared error over the pixels whose depth is known (Ranftl et al., Towards robust
    monocular depth estimation, 2020, section 4): for models of relative depth. A prediction that is the same
    everywhere becomes the mean of the annotated depth; without known pixels it stays as it is.

    Args:
        apply_to: accepted; what changes is the prediction.
        annotation_source: name of the annotated depth, where a sample has several annotations.
        prediction_source: name of the predicted depth, where a sample has several predictions.
    """

    predictions = (DepthMap,)

    def change(self, value: DepthMap, pair: Pair) -> DepthMap:
        """Return the depth (H, W) float64, aligned.

        Raises:
            OutputError: the annotation is no depth map, or of another size.
        """
        truth = self._truth(pair)
        if truth.values.shape != value.values.shape:
            raise OutputError(
                f"a prediction {value.values.shape} for an annotation {truth.values.shape} found, equal shapes "
                "expected; put resize_prediction_depth_map before"
            )
        known = truth.valid if truth.valid.size else np.ones(truth.values.shape, dtype=bool)
        return replace(value, values=_aligned(value.values.astype(np.float64), truth.values, known))

    def _targets(self) -> Iterator[tuple[str, tuple[type, ...], tuple[str, ...]]]:
        # Naming the annotation says what the prediction is aligned with, not that the annotation is to change.
        yield "prediction", self.predictions, self.prediction_source

    def _truth(self, pair: Pair) -> DepthMap:
        truth = pair.annotation
        if isinstance(truth, Named):
            truth = truth.parts[truth.pick((DepthMap,), next(iter(self.annotation_source), None))]
        if not isinstance(truth, DepthMap):
            raise OutputError(f"an annotation of type {type(truth).__name__} found, DepthMap expected")
        return truth


def _aligned(estimate: Array, truth: Array, known: Array) -> Array:
    """Return `estimate` scaled and shifted by least squares to `truth`, over the pixels `known`."""
    if not known.any():
        return estimate
    center, target = estimate[known].mean(), truth[known].mean()
    deviations = estimate[known] - center
    spread = deviations @ deviations
    scale = deviations @ (truth[known] - target) / spread if spread else 0.0
    aligned: Array = scale * (estimate - center) + target
    return aligned
