"""Accuracy of attributes."""

from __future__ import annotations

from dataclasses import dataclass

from ..registry import register
from ..types import Array
from ._attributes import AttributeMetric

__all__ = ["MultiAccuracy"]


@register("multi_accuracy")
@dataclass(frozen=True, kw_only=True)
class MultiAccuracy(AttributeMetric):
    """The fraction of decisions about attributes that are right.

    Args:
        label_map: the name of the dataset's map of attributes.
        calculate_average: whether `value` is the ratio over the decisions about all attributes (micro average), which
            is then the component ``average``, too; else the mean of the attributes' ratios (macro average).
        compat: ``accuracy_checker``: `value` is the mean over all components, of which ``average`` is one, and 0 for
            each attribute that is never annotated.
    """

    def terms(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """Return right and all decisions."""
        return tp + tn, tp + fp + tn + fn
