"""Root mean squared error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Array
from ._regression import RegressionMetric

__all__ = ["RootMeanSquaredError"]


@register("rmse")
@dataclass(frozen=True, kw_only=True)
class RootMeanSquaredError(RegressionMetric):
    """The mean over the samples of the root of the mean squared difference between a sample's values.

    Args:
        max_error: whether the largest error of a sample is a component, too.
        compat: ``accuracy_checker``: as there, `value` is the mean of all components, the standard deviation among
            them; each number of a vector counts as a sample; and a depth map without a known pixel has no error.
    """

    def errors(self, truth: Array, estimate: Array) -> Array:
        """Return the root of the mean squared difference (N, 1) of each sample."""
        return np.sqrt(self.mean(np.square(truth - estimate)))
