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
    probabilities = _probabilities(np.stack(scores).astype(np.float64))
    return probabilities.argmax(axis=1), probabilities.max(axis=1).round(4).astype(np.float32)


def _probabilities(scores: Array) -> Array:
    # A model that ends in a softmax already returns probabilities: a second softmax would flatten them.
    if scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        return scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: Array = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
