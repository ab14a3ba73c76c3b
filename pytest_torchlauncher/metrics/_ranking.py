"""Whether a sample's class is among those that a model ranks first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import OutputError
from ..types import Array, Label, Scores

__all__ = ["hits"]


def hits(annotations: Sequence[Label], predictions: Sequence[Scores | Label], k: int) -> list[bool]:
    """Return whether each label is among the `k` largest scores; of equal scores the lower class goes first.

    A class index as prediction is right where it equals the label.

    Raises:
        OutputError: there are fewer than `k` classes, a label is none of them, or a score is NaN.
    """
    labels = np.array([annotation.index for annotation in annotations])
    scores = [prediction.values for prediction in predictions if isinstance(prediction, Scores)]
    right: list[bool]
    if scores and len(scores) == len(predictions):
        right = _among(np.array(scores), labels, k).tolist()
    else:
        classes = [int(np.argmax(p.values)) if isinstance(p, Scores) else p.index for p in predictions]
        right = (labels == np.array(classes)).tolist()
    return right


def _among(scores: Array, labels: Array, k: int) -> Array:
    """Return whether each of `labels` (N,) is among the `k` largest of its row of `scores` (N, C)."""
    classes = scores.shape[1]
    if k > classes:
        raise OutputError(f"top_k: {k} found, at most {classes} expected, the classes that the model tells apart")
    outside = labels[(labels < 0) | (labels >= classes)]
    if outside.size:
        raise OutputError(
            f"label {outside[0]} is outside the model's {classes} classes (0 to {classes - 1}); "
            "correct the labels, or take another model"
        )
    if np.isnan(scores.max()):
        raise OutputError("NaN found among the scores, numbers expected")
    if k == 1:
        top: Array = scores.argmax(axis=1) == labels
        return top
    own = np.take_along_axis(scores, labels[:, np.newaxis], axis=1)
    larger, as_large = _per_row(scores > own), _per_row(scores >= own)
    right: Array = as_large <= k
    tied = np.flatnonzero(~right & (larger < k))
    if tied.size:
        lower = np.arange(classes) < labels[tied, np.newaxis]
        right[tied] = larger[tied] + _per_row((scores[tied] == own[tied]) & lower) < k
    return right


def _per_row(flags: Array) -> Array:
    """Return how many of `flags` (N, C) are set in each row."""
    # A sum of int32 takes half the time of one of int64.
    counts: Array = flags.sum(axis=1, dtype=np.int32)
    return counts
