"""Queries of a DETR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import Array, Batch, Outputs, Prediction, ScoredBoxes
from ._activations import softmax

__all__ = ["DETR"]


@register("detr")
@dataclass(frozen=True, kw_only=True)
class DETR(Adapter):
    """A box for every query, Carion et al., https://arxiv.org/abs/2005.12872; the last class is "no object".

    Args:
        scores_out: the output with the logits (B, Q, C + 1).
        boxes_out: the output with the boxes (B, Q, 4): centre x and y, width, height, from 0 to 1.
    """

    scores_out: str
    boxes_out: str

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return all queries of each sample, normalized, with the best class that is an object.

        Raises:
            OutputError: an output is not there, or the two do not fit each other.
        """
        logits, boxes = outputs.select(self.scores_out), outputs.select(self.boxes_out)
        count = len(batch.samples)
        if (
            logits.ndim != 3
            or logits.shape[2] < 2
            or boxes.shape != (count, logits.shape[1], 4)
            or len(logits) != count
        ):
            raise OutputError(
                f"logits {logits.shape} and boxes {boxes.shape} found, (B, Q, C + 1) and (B, Q, 4) of {count} expected"
            )
        scores = softmax(logits)[..., :-1]
        parts = zip(_corners(boxes.astype(np.float64)), scores.argmax(axis=2), scores.max(axis=2), strict=True)
        return [ScoredBoxes(*of_one, "normalized") for of_one in parts]


def _corners(boxes: Array) -> Array:
    centers, halves = boxes[..., :2], boxes[..., 2:] / 2
    return np.concatenate([centers - halves, centers + halves], axis=-1)
