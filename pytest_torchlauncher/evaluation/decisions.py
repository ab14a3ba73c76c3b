"""What a classifier decided about each sample: by it a report tells which samples changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..types import Array, Label, Pair, Prediction, Scores

__all__ = ["Decisions", "decided"]


@dataclass(frozen=True)
class Decisions:
    """Of the samples of a batch the class, the predicted class (B,) int64, and its probability (B,) float32."""

    label: Array
    prediction: Array
    confidence: Array


def decided(pairs: Sequence[Pair]) -> Decisions | None:
    """Return the decisions on `pairs`; None where they are not about classes."""
    labels = [pair.annotation.index for pair in pairs if isinstance(pair.annotation, Label)]
    predictions = [pair.prediction for pair in pairs if isinstance(pair.prediction, Scores | Label)]
    if not len(labels) == len(predictions) == len(pairs):
        return None
    return Decisions(np.array(labels), *_classes(predictions))


def _classes(predictions: Sequence[Prediction]) -> tuple[Array, Array]:
    """Return predicted classes and their probabilities, rounded to 1e-4; class ids have 1."""
    scores = [prediction.values for prediction in predictions if isinstance(prediction, Scores)]
    if len(scores) != len(predictions):
        classes = [p.index if isinstance(p, Label) else int(np.argmax(p.values)) for p in predictions]  # type: ignore[union-attr]
        return np.array(classes), np.ones(len(classes), dtype=np.float32)
    stacked = np.stack(scores)
    largest = stacked.argmax(axis=1)
    return largest, _probabilities(stacked, largest[:, np.newaxis])[:, 0].round(4).astype(np.float32)


def _probabilities(scores: Array, classes: Array) -> Array:
    """Return the probabilities (B, 1) float64 of `classes` (B, 1), those with the largest of `scores` (B, C)."""
    highest = np.take_along_axis(scores, classes, axis=1).astype(np.float64)
    # A model that ends in a softmax already returns probabilities: a second softmax would flatten them.
    if scores.min() >= 0 and np.allclose(scores.astype(np.float64).sum(axis=1), 1, atol=1e-3):
        return highest
    powers = np.subtract(scores, highest, dtype=np.float64)
    # The largest score is taken off, so that its power is 1.
    probabilities: Array = 1 / np.exp(powers, out=powers).sum(axis=1, keepdims=True)
    return probabilities
