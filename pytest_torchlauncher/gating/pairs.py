"""One metric on the same samples before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..baselines.evidence import unpack_evidence
from ..errors import DataError
from ..types import Array, Measurement, Outcomes

__all__ = ["Paired", "paired", "places"]


@dataclass(frozen=True)
class _Resampled:
    """The evidence of the samples before and after, and what summarises any of it."""

    before: Sequence[Any]
    after: Sequence[Any]
    summarize: Callable[[Sequence[Any]], float]


@dataclass(frozen=True)
class Paired:
    """The outcomes (N,) of a metric's samples before and after; of a set metric their evidence, too.

    Differences are oriented so that positive is better. `is_mean` says that the metric is the mean of the outcomes.
    """

    n: int
    higher_is_better: bool
    is_mean: bool
    before: Array | None
    after: Array | None
    evidence: _Resampled | None

    @cached_property
    def changes(self) -> Array:
        """By sample (N,), how much better it became; empty where its outcomes are not known."""
        if self.before is None or self.after is None:
            return np.zeros(0)
        gain = self.after.astype(np.float64) - self.before.astype(np.float64)
        return gain if self.higher_is_better else -gain

    @cached_property
    def has_flips(self) -> bool:
        """Whether every sample is right or wrong, before and after."""
        return self.before is not None and self.after is not None and _is_binary(self.before) and _is_binary(self.after)

    @cached_property
    def lost(self) -> Array:
        """The positions of the samples that were right and are wrong now."""
        return np.flatnonzero(self.changes < 0) if self.has_flips else np.zeros(0, dtype=np.int64)

    @cached_property
    def gained(self) -> Array:
        """The positions of the samples that were wrong and are right now."""
        return np.flatnonzero(self.changes > 0) if self.has_flips else np.zeros(0, dtype=np.int64)

    @property
    def is_binary(self) -> bool:
        """Whether the metric is the mean of outcomes that are 0 or 1."""
        return self.is_mean and self.has_flips

    @property
    def can_resample(self) -> bool:
        """Whether the metric over any part of the samples is known, before and after."""
        return self.evidence is not None or (self.is_mean and len(self.changes) > 0)

    def values(self, positions: Array) -> tuple[float, float]:
        """Return the metric before and after over the samples at `positions`, which may repeat."""
        if self.evidence is None:
            if self.before is None or self.after is None:
                return np.nan, np.nan
            return _mean(self.before[positions]), _mean(self.after[positions])
        before, after = (
            [items[position] for position in positions] for items in (self.evidence.before, self.evidence.after)
        )
        return self.evidence.summarize(before), self.evidence.summarize(after)

    def delta(self, positions: Array) -> float:
        """Return the oriented difference over the samples at `positions`; NaN where the metric has no value there."""
        try:
            before, after = self.values(positions)
        except DataError:  # a resample without a class, say
            return np.nan
        return after - before if self.higher_is_better else before - after


def places(before: Outcomes, after: Outcomes) -> Array | None:
    """Return the position in `before` of each sample of `after`; None where one is not there."""
    known = {identifier: position for position, identifier in enumerate(before.ids)}
    found = [known.get(identifier, -1) for identifier in after.ids]
    return None if -1 in found else np.array(found, dtype=np.int64)


def paired(name: str, measurement: Measurement, before: Outcomes | None, at: Array | None) -> Paired | None:
    """Return the metric `name` before and after.

    Args:
        name: of the metric.
        measurement: what was measured.
        before: the outcomes of the baseline.
        at: where in them the measured samples are, see `places`.

    Raises:
        BaselineError: the stored evidence is damaged.
    """
    if before is None or at is None:
        return None
    column = f"metric:{name}"
    old, new = before.columns.get(column), measurement.outcomes.columns.get(column)
    return Paired(
        n=len(at),
        higher_is_better=measurement.metrics[name].higher_is_better,
        before=None if old is None or new is None else old[at],
        after=None if old is None else new,
        is_mean=name not in measurement.evidence,
        evidence=_evidence(name, measurement, before, at),
    )


def _evidence(name: str, measurement: Measurement, before: Outcomes, at: Array) -> _Resampled | None:
    prefix = f"{name}/"
    stored = {key.removeprefix(prefix): part for key, part in before.evidence.items() if key.startswith(prefix)}
    if not stored or name not in measurement.evidence:
        return None
    items, new = unpack_evidence(stored), measurement.evidence[name]
    return _Resampled([items[position] for position in at], new.items, new.summarize)


def _is_binary(column: Array) -> bool:
    return bool(np.isin(column, (0, 1)).all())


def _mean(column: Array) -> float:
    known = column[~np.isnan(column)] if column.dtype.kind == "f" else column
    return float(known.mean()) if known.size else np.nan
