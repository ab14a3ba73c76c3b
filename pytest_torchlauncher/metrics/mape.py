"""Mean absolute percentage error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Array
from ._regression import RegressionMetric

__all__ = ["MeanAbsolutePercentageError"]

_EPSILON = np.finfo(np.float64).eps


@register("mape")
@dataclass(frozen=True, kw_only=True)
class MeanAbsolutePercentageError(RegressionMetric):
    """The mean over the samples of the mean absolute difference between a sample's values as a fraction of the truth.

    As in scikit-learn's ``mean_absolute_percentage_error`` the truth's size is the float64 epsilon at least, so that
    a true 0 gives a large error.

    Args:
        max_error: whether the largest error of a sample is a component, too.
        compat: ``accuracy_checker``: as there, `value` is the mean of all components, the standard deviation among
            them; each number of a vector counts as a sample; a depth map without a known pixel has no error; a
            negative truth gives a negative error, and a true 0 an infinite one.
    """

    def errors(self, truth: Array, estimate: Array) -> Array:
        """Return the mean absolute percentage error (N, 1) of each sample, 0.1 for 10 %."""
        if self.compat:
            with np.errstate(divide="ignore", invalid="ignore"):
                return self.mean(np.abs(truth - estimate) / truth)
        return self.mean(np.abs(truth - estimate) / np.maximum(np.abs(truth), _EPSILON))
