"""Stopping an evaluation as soon as no remaining outcome could pass: exact, and never an early pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..baselines.baseline import Baseline, MetricBaseline
from ..gate import Gate
from ..types import Array, Measurement, Outcomes, Stop
from .changes import Changes
from .margins import allowance
from .statistics import paired_interval
from .verdict import Check, Comparison, Verdict
from .wording import format_value

__all__ = ["EarlyFail", "early_fail", "stopped_early"]

_TOLERANCE = 1e-9
_SCORE_BELOW = 25
"""Below so many differing outcomes the interval is another; the upper bound is monotone on either side."""


@dataclass
class _Watched:
    """One metric that may end the evaluation: what it had before, and what was seen of it."""

    gate: Gate
    stored: MetricBaseline
    before: Array
    total: float = 0.0
    lost: int = 0
    gained: int = 0
    seen: int = 0

    def takes(self, outcomes: Array) -> bool:
        """Return whether the bounds hold for `outcomes`."""
        if self.gate.is_paired:
            return bool(np.isin(outcomes, (0, 1)).all())
        return bool(((outcomes >= 0) & (outcomes <= 1)).all())

    def add(self, outcomes: Array) -> None:
        """Count the next samples' outcomes."""
        before = self.before[self.seen : self.seen + len(outcomes)].astype(np.float64)
        gain = outcomes - before if self.stored.higher_is_better else before - outcomes
        self.total += float(outcomes.sum())
        self.lost += int((gain < 0).sum())
        self.gained += int((gain > 0).sum())
        self.seen += len(outcomes)

    @property
    def bound(self) -> float:
        """The best value that the whole dataset can still have, of outcomes between 0 and 1."""
        best = 1.0 if self.stored.higher_is_better else 0.0
        return (self.total + best * (len(self.before) - self.seen)) / len(self.before)

    @property
    def is_lost(self) -> bool:
        """Whether no remaining outcome could pass."""
        margin = self.gate.allowed(self.stored.value) or 0.0
        if self.gate.is_paired:
            return self._is_proven(margin)
        gain = self.bound - self.stored.value if self.stored.higher_is_better else self.stored.value - self.bound
        return gain < -margin - _TOLERANCE

    def _is_proven(self, margin: float) -> bool:
        """Return whether every table of lost and gained samples that can still come proves a larger drop."""
        n, alpha = len(self.before), self.gate.error_rate
        wrong = 0 if self.stored.higher_is_better else 1
        most = self.gained + int((self.before[self.seen :] == wrong).sum())
        tables = [(self.lost, most)]
        if self.lost + most >= _SCORE_BELOW:
            tables.append((self.lost, max(_SCORE_BELOW - 1 - self.lost, 0)))
        else:
            tables.append((_SCORE_BELOW - most, most))
        return all(paired_interval(lost, gained, n, alpha).upper < -margin - _TOLERANCE for lost, gained in tables)


class EarlyFail:
    """Watches the metrics whose gates ask for it; gives up where the samples are not those of the baseline."""

    def __init__(self, watched: Mapping[str, _Watched], outcomes: Outcomes) -> None:
        self._watched = watched
        self._ids = outcomes.ids
        self._digests = outcomes.columns.get("digest")
        self._seen = 0
        self.metrics: Sequence[str] = tuple(watched)

    def seen(self, ids: Sequence[str], digests: Array, outcomes: Mapping[str, Array], total: int | None) -> Stop | None:
        """Return why the evaluation may end with these samples, if it may; see `Watch`."""
        if total != len(self._ids) or not self._are_known(ids, digests):
            self.metrics = ()
        self._seen += len(ids)
        self.metrics = [name for name in self.metrics if self._watched[name].takes(outcomes[name])]
        for name in self.metrics:
            watched = self._watched[name]
            watched.add(np.asarray(outcomes[name], dtype=np.float64))
            if self._seen < len(self._ids) and watched.is_lost:
                return Stop(name, watched.bound, self._seen, len(self._ids))
        return None

    def _are_known(self, ids: Sequence[str], digests: Array) -> bool:
        """Return whether these are the next samples of the baseline, with the same contents and annotations."""
        part = slice(self._seen, self._seen + len(ids))
        same = self._digests is None or np.array_equal(self._digests[part], digests)
        return same and tuple(ids) == tuple(self._ids[part])


def early_fail(
    baseline: Baseline,
    outcomes: Outcomes,
    gates: Mapping[str, Gate],
    definitions: Mapping[str, str],
) -> EarlyFail | None:
    """Return what may end an evaluation early; None where no gate asks for it, or none can know.

    A gate can where it has a margin, and the metric is the mean of what its samples score alone, from 0 to 1.

    Args:
        baseline: what the run is judged by.
        outcomes: the baseline's.
        gates: by metric, of those that are the mean of their samples.
        definitions: of the metrics as they are in the file now.
    """
    watched = {}
    for name, gate in gates.items():
        stored, before = baseline.metrics.get(name), outcomes.columns.get(f"metric:{name}")
        if not gate.early_fail or gate.margin is None or stored is None or before is None:
            continue
        usable = before.dtype == np.uint8 or bool(((before >= 0) & (before <= 1)).all())
        if gate.is_paired:
            usable = bool(np.isin(before, (0, 1)).all())
        if stored.bounded and usable and stored.definition == definitions[name]:
            watched[name] = _Watched(gate, stored, before)
    return EarlyFail(watched, outcomes) if watched else None


def stopped_early(
    measurement: Measurement, stop: Stop, gates: Mapping[str, Gate], baseline: Baseline, changes: Changes
) -> Verdict:
    """Return the verdict on a measurement that ended early: its metric regressed, whatever the rest had been."""
    stored = baseline.metrics[stop.metric]
    allowed = allowance(gates[stop.metric], stored, changes)
    bound = "at most" if stored.higher_is_better else "at least"
    line = (
        f"{stop.metric} {bound} {format_value(stop.bound, stored.value)}, baseline "
        f"{format_value(stored.value, stop.bound)} ({allowed.why}): regressed, stopped early after {stop.seen} of "
        f"{stop.total} samples"
    )
    check = Check("baseline", "regressed", line, True, stored.value, allowed.drop)
    metric = measurement.metrics[stop.metric]
    kind = measurement.definitions[stop.metric].partition("(")[0]
    comparison = Comparison(stop.metric, kind, None, {}, metric.higher_is_better, (check,))
    return Verdict("regressed", line, (comparison,), changes.all, True, changes.provenance)
