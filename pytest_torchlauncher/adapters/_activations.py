"""Functions that end many networks."""

from __future__ import annotations

import numpy as np

from ..types import Array

__all__ = ["sigmoid", "softmax"]


def softmax(scores: Array, axis: int = -1) -> Array:
    """Return the softmax of `scores` along `axis`, float64."""
    # The largest score is taken off first: the exponential of a large one is infinite.
    values: Array = scores.astype(np.float64)
    values -= values.max(axis=axis, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=axis, keepdims=True)
    return values


def sigmoid(scores: Array) -> Array:
    """Return 1 / (1 + exp(-x)) of every score, float64."""
    # Of the two forms each sign takes the one whose exponential stays small.
    powers = np.exp(-np.abs(scores.astype(np.float64)))
    values: Array = np.where(scores >= 0, 1, powers) / (1 + powers)
    return values
