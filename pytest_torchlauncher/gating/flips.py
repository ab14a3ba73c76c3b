"""Samples that were right and are wrong now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..types import Array, Outcomes
from .pairs import Paired

__all__ = ["CONFIDENT", "Flip", "flips_of"]

CONFIDENT = 0.9
"""From this softmax probability on a wrong prediction counts as confident."""


@dataclass(frozen=True)
class Flip:
    """A sample that `metric` counted as right before and as wrong now.

    Args:
        label, before, after: names of the annotated and of the predicted classes; None where it is not about classes.
        confidence_before, confidence_after: probabilities of the predictions.
    """

    metric: str
    id: str
    label: str | None = None
    before: str | None = None
    after: str | None = None
    confidence_before: float | None = None
    confidence_after: float | None = None

    @property
    def is_confident(self) -> bool:
        """Whether the model is sure of the wrong class."""
        return self.confidence_after is not None and self.confidence_after >= CONFIDENT

    def __str__(self) -> str:
        if self.after is None:
            return self.id
        return (
            f"{self.id}: {self.label}, predicted {self.before} ({self.confidence_before:.2f}), "
            f"now {self.after} ({self.confidence_after:.2f})"
        )


def flips_of(
    metric: str, pair: Paired, before: Outcomes, at: Array, after: Outcomes, classes: Mapping[int, str]
) -> Sequence[Flip]:
    """Return the samples that are lost, the most confident first.

    Args:
        metric: its name.
        pair: the metric before and after.
        before: the outcomes of the baseline.
        at: where in them the measured samples are.
        after: the measured outcomes.
        classes: names of the class indices.
    """
    lost = pair.lost
    decided = all({"label", "prediction", "confidence"} <= set(outcomes.columns) for outcomes in (before, after))
    if not decided:
        return [Flip(metric, after.ids[position]) for position in lost]

    def named(index: int) -> str:
        return classes.get(index, str(index))

    flips = [
        Flip(
            metric,
            after.ids[position],
            named(int(after.columns["label"][position])),
            named(int(before.columns["prediction"][at[position]])),
            named(int(after.columns["prediction"][position])),
            float(before.columns["confidence"][at[position]]),
            float(after.columns["confidence"][position]),
        )
        for position in lost
    ]
    return sorted(flips, key=lambda flip: (-(flip.confidence_after or 0.0), flip.id))
