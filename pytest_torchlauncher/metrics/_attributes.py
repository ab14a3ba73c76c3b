"""Right and wrong decisions about attributes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import DataError, OutputError
from ..kinds import Metric
from ..options import Compat
from ..types import Array, Attributes, DatasetMeta, MetricValue
from ._classes import class_name, class_names

__all__ = ["AttributeMetric"]


@dataclass(frozen=True, kw_only=True)
class AttributeMetric(Metric[Attributes, Attributes]):
    """Base of the ratios of right to wrong decisions; nothing that is annotated as unknown counts.

    Args:
        label_map: the name of the dataset's map of attributes.
        calculate_average: whether `value` is the ratio over the decisions about all attributes (micro average), which
            is then the component ``average``, too; else the mean of the attributes' ratios (macro average).
        compat: ``accuracy_checker``: `value` is the mean over all components, of which ``average`` is one, and 0 for
            each attribute that is never annotated.
    """

    label_map: Literal["label_map"] = "label_map"
    calculate_average: bool = True
    compat: Compat = None

    def observe(self, annotations: Sequence[Attributes], predictions: Sequence[Attributes]) -> Sequence[Array]:
        """Return the decisions (4, K) of each sample: true and false positives, true and false negatives.

        Raises:
            OutputError: as many attributes are not predicted as are annotated.
        """
        pairs = [(a.values, p.values) for a, p in zip(annotations, predictions, strict=True)]
        for truth, estimate in pairs:
            if truth.shape != estimate.shape:
                raise OutputError(
                    f"{estimate.size} attributes found for {truth.size} annotated ones; correct the annotations or the "
                    "adapter's options"
                )
        if len({truth.shape for truth, _ in pairs}) == 1:
            return list(_decisions(*map(np.array, zip(*pairs, strict=True))))
        return [_decisions(*pair) for pair in pairs]

    def summarize(self, evidence: Sequence[Array], meta: DatasetMeta) -> MetricValue:
        """Return the ratio, that of each attribute that is ever annotated, and that of each sample, NaN without any.

        A ratio of nothing is 0.

        Raises:
            DataError: no attribute is annotated, samples differ in their number, or the dataset lacks their names.
        """
        decisions = _stacked(evidence)
        totals = decisions.sum(axis=0)
        ratios = np.nan_to_num(self._ratio(totals))
        names = class_names(meta)
        components = {class_name(names, int(index)): float(ratios[index]) for index in np.flatnonzero(totals.any(0))}
        value = float(np.mean(list(components.values())))
        if self.calculate_average:
            value = components["average"] = float(np.nan_to_num(self._ratio(totals.sum(axis=1))))
        if self.compat:
            value = float(np.mean([*ratios, value] if self.calculate_average else ratios))
        return MetricValue(value, components, self._ratio(decisions.sum(axis=2).T))

    @abstractmethod
    def terms(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """Return numerator and denominator of numbers of true and false positives, true and false negatives."""

    def _ratio(self, counts: Array) -> Array:
        """Return the ratio (…) of `counts` (4, …); NaN where the denominator is 0."""
        numerator, denominator = self.terms(*counts.astype(np.float64))
        ratio: Array = np.divide(
            numerator, denominator, out=np.full_like(denominator, np.nan), where=np.asarray(denominator > 0)
        )
        return ratio


def _decisions(truth: Array, estimate: Array) -> Array:
    """Return the decisions (…, 4, K) about annotated and predicted attributes (…, K)."""
    has, has_not, found = truth == 1, truth == 0, estimate == 1
    return np.stack([has & found, has_not & found, has_not & ~found, has & ~found], axis=-2)


def _stacked(evidence: Sequence[Array]) -> Array:
    """Return the decisions of all samples, (N, 4, K).

    Raises:
        DataError: there are none, or samples differ in their number of attributes.
    """
    counts = sorted({decisions.shape[1] for decisions in evidence})
    if len(counts) > 1:
        raise DataError(f"samples with {' and '.join(map(str, counts))} attributes found, the same in all expected")
    if not any(decisions.any() for decisions in evidence):
        raise DataError(f"no annotated attribute found in {len(evidence)} samples, at least one expected")
    return np.stack(evidence)
