"""F1 score of attributes."""

from __future__ import annotations

from dataclasses import dataclass

from ..registry import register
from ..types import Array
from ._attributes import AttributeMetric

__all__ = ["F1Score"]


@register("f1-score")
@dataclass(frozen=True, kw_only=True)
class F1Score(AttributeMetric):
    """The harmonic mean of precision and recall of predicted attributes, 2 TP / (2 TP + FP + FN).

    Args:
        label_map: the name of the dataset's map of attributes.
        calculate_average: whether `value` is the ratio over the decisions about all attributes (micro average), which
            is then the component ``average``, too; else the mean of the attributes' ratios (macro average).
        compat: ``accuracy_checker``: `value` is the mean over all components, of which ``average`` is one, and 0 for
            each attribute that is never annotated.
    """

    def terms(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """Return twice the right attributes, and predicted and annotated ones together."""
        return 2 * tp, 2 * tp + fp + fn
