"""Relative error in the L2 norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..registry import register
from ..types import Array
from ._regression import RegressionMetric

__all__ = ["RelativeL2Error"]

_EPSILON = float(np.finfo(np.float64).eps)


@register("relative_l2_error")
@dataclass(frozen=True, kw_only=True)
class RelativeL2Error(RegressionMetric):
    """The mean over the samples of ``|truth - estimate| / (|truth| + eps)`` with the L2 norm over a sample's values.

    Args:
        max_error: whether the largest error of a sample is a component, too.
        compat: ``accuracy_checker``: as there, `value` is the mean of all components, the standard deviation among
            them; a depth map without a known pixel has no error; and the norm of a matrix is its largest singular
            value.
    """

    def errors(self, truth: Array, estimate: Array) -> Array:
        """Return the relative error (N, 1) of each sample."""
        pairs = zip(truth - estimate, truth, strict=True)
        return np.array([[self._norm(difference) / (self._norm(of_one) + _EPSILON)] for difference, of_one in pairs])

    def _norm(self, values: Array) -> float:
        return float(np.linalg.norm(values, 2 if self.compat and values.ndim == 2 else None))
