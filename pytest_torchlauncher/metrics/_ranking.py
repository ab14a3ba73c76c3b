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
    if scores and len(scores) == len(predictions):
        return list(map(bool, _ranks(np.stack(scores), labels, k) < k))
    classes = [int(np.argmax(p.values)) if isinstance(p, Scores) else p.index for p in predictions]
    return list(map(bool, labels == np.array(classes)))


def _ranks(scores: Array, labels: Array, k: int) -> Array:
    """Return the rank (N,) of `labels` (N,) among `scores` (N, C), from 0."""
    classes = scores.shape[1]
    if k > classes:
        raise OutputError(f"top_k: {k} found, at most {classes} expected, the classes that the model tells apart")
    outside = labels[(labels < 0) | (labels >= classes)]
    if outside.size:
        raise OutputError(f"label {outside[0]} is outside the model's {classes} classes (0 to {classes - 1})")
    if np.isnan(scores).any():
        raise OutputError("NaN found among the scores, numbers expected")
    own = np.take_along_axis(scores, labels[:, np.newaxis], axis=1)
    before = np.arange(classes) < labels[:, np.newaxis]
    ranks: Array = ((scores > own) | ((scores == own) & before)).sum(axis=1)
    return ranks
