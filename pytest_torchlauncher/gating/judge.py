"""The verdict on a measurement: what changed since the baseline decides how much may change. Pure functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..baselines.baseline import Baseline, Key, MetricBaseline
from ..gate import Gate, Reference
from ..types import Array, Measurement, MetricValue, Outcomes
from .budgets import against_budget, against_slices
from .changes import Changes
from .control import selfcheck_findings
from .early import stopped_early
from .flips import Flip, flips_of
from .margins import allowance
from .pairs import Paired, paired, places
from .references import against_references
from .slices import SliceResult, sliced
from .verdict import Check, Comparison, Verdict
from .weighing import Case, weighed
from .wording import and_more, compared, format_value

__all__ = ["Standing", "judge"]

_UPDATE = "pytest --launcher-update"


@dataclass(frozen=True)
class Standing:
    """A stored baseline with its outcomes, beside the measurement that it is compared with.

    Args:
        against: ``baseline`` or ``anchor``.
        command: what stores the measurement in its place.
    """

    against: str
    command: str
    baseline: Baseline
    outcomes: Outcomes | None
    key: Key
    measurement: Measurement

    @cached_property
    def changes(self) -> Changes:
        """What differs since then."""
        return Changes.since(self.baseline, self.key, self.measurement, self.outcomes)

    @cached_property
    def at(self) -> Array | None:
        """Where the measured samples are among the stored ones; None where some are not."""
        return places(self.outcomes, self.measurement.outcomes) if self.outcomes else None

    def pair(self, name: str) -> Paired | None:
        """Return the metric `name` on the same samples before and after, if it is known."""
        return paired(name, self.measurement, self.outcomes, self.at)

    def stored(self, name: str, pair: Paired | None) -> MetricBaseline | None:
        """Return what is stored of the metric `name`, over the measured samples.

        It is None where a part of the dataset was measured, of which the baseline does not know the value.
        """
        stored = self.baseline.metrics[name]
        if not self.measurement.is_subset:
            return stored
        if pair is None or not pair.can_resample:
            return None
        before, _ = pair.values(np.arange(pair.n))
        return replace(stored, value=before, n=pair.n)


@dataclass(frozen=True)
class _Judged:
    """A comparison, and what else its metric shows."""

    comparison: Comparison
    flips: Sequence[Flip] = ()
    slices: Sequence[SliceResult] = ()


@dataclass(frozen=True)
class _Judge:
    """Judges the metrics of a measurement."""

    key: Key
    measurement: Measurement
    gates: Mapping[str, Gate]
    references: Mapping[str, Reference]
    last: Standing | None
    anchor: Standing | None = field(default=None)

    def metric(self, name: str, problem: str | None) -> _Judged:
        """Return the metric `name` with all its checks; a `problem` of the measurement is the only one."""
        metric = self.measurement.metrics[name]
        if problem or not math.isfinite(metric.value):
            fault = problem or "not a finite number, so nothing can be judged; check outputs and annotations"
            return _Judged(self._comparison(name, (self._fault(name, metric, fault),)))
        pair = self.last.pair(name) if self.last else None
        checks = list(self._checks(name, metric, pair))
        comparable = self.last is not None and checks[0].against == "baseline" and checks[0].allowed is not None
        if pair is None or self.last is None or not comparable:
            return _Judged(self._comparison(name, tuple(checks)))
        return self._beside(name, pair, self.last, checks)

    def _beside(self, name: str, pair: Paired, last: Standing, checks: list[Check]) -> _Judged:
        """Return the metric with its flips and slices, and the checks of both."""
        gate, measurement = self._gate(name), self.measurement
        flips: Sequence[Flip] = ()
        if pair.has_flips and last.outcomes is not None and last.at is not None:
            flips = flips_of(name, pair, last.outcomes, last.at, measurement.outcomes, measurement.classes)
        if gate.flips is not None:
            checks += against_budget(name, flips, pair, gate.flips)
        slices: Sequence[SliceResult] = ()
        if gate.slices is not None:
            groups = measurement.groups.get(gate.slices.by, ())
            if pair.can_resample and any(groups):
                slices = sliced(name, pair, groups, gate.slices, gate.error_rate)
            checks += against_slices(name, slices, gate.slices, groups, pair)
        return _Judged(self._comparison(name, tuple(checks)), flips, slices)

    def _checks(self, name: str, metric: MetricValue, pair: Paired | None) -> Iterator[Check]:
        """Yield the checks against stored and published values, that against the last baseline first."""
        published = tuple(
            against_references(name, metric, self.references.get(name), len(self.measurement.outcomes.ids))
        )
        if self.last is not None and name in self.last.baseline.metrics:
            yield self._against(name, metric, self.last, pair)
        elif not published:
            yield self._missing(name, metric)
        yield from published
        gate = self._gate(name)
        if gate.anchor is not None and self.anchor is not None:
            drift = replace(gate, margin=gate.anchor, on_improve="pass")
            yield self._against(name, metric, self.anchor, self.anchor.pair(name), drift)

    def _against(
        self, name: str, metric: MetricValue, standing: Standing, pair: Paired | None, gate: Gate | None = None
    ) -> Check:
        """Return the check against a stored value."""
        gate = gate or self._gate(name)
        against = standing.against
        if name not in standing.baseline.metrics:
            line = f"{name} {format_value(metric.value)}, no {against} of this metric: run {standing.command}"
            return Check(against, "missing_baseline", line, True)
        if reasons := standing.changes.stale(name):
            return self._stale(name, metric, standing, reasons)
        stored = standing.stored(name, pair)
        if stored is None:
            return self._unknown(name, metric, standing)
        case = Case(name, metric, gate, against, standing.command, stored, standing.changes, pair)
        key = "margin" if against == "baseline" else against
        return weighed(case, allowance(gate, stored, standing.changes, key))

    def _stale(self, name: str, metric: MetricValue, standing: Standing, reasons: Sequence[str]) -> Check:
        stored = standing.baseline.metrics[name].value
        gain = metric.value - stored if metric.higher_is_better else stored - metric.value
        start = compared(name, float(metric.value), stored, standing.against)
        line = f"{start}: stale {standing.against}, {'; '.join(reasons)}"
        return Check(standing.against, "stale_baseline", line, True, stored, loss=-gain)

    def _unknown(self, name: str, metric: MetricValue, standing: Standing) -> Check:
        line = (
            f"{name} {format_value(metric.value)} over {len(self.measurement.outcomes.ids)} samples: inconclusive, the "
            f"{standing.against} keeps no evidence of which samples gave its value; run without --launcher-limit"
        )
        gate = self._gate(name)
        fails, quiet = gate.on_inconclusive == "fail", gate.on_inconclusive == "pass"
        return Check(standing.against, "inconclusive", line, fails, warns=not fails and not quiet)

    def _missing(self, name: str, metric: MetricValue) -> Check:
        # Beside metrics of other weights a new one cannot be recorded, only all together.
        update = self.last is not None and self.last.changes.model
        command = "--launcher-update" if update else "--launcher-record"
        lacking = f"{self.key.name} on {self.key.place}: run pytest {command}"
        which = "no baseline of this metric" if self.last else "no baseline"
        line = f"{name} {format_value(metric.value)}, {which} for {lacking}"
        return Check("baseline", "missing_baseline", line, True)

    def _fault(self, name: str, metric: MetricValue, fault: str) -> Check:
        stored = self.last.baseline.metrics.get(name) if self.last else None
        against = f", baseline {format_value(stored.value)}" if stored else ""
        line = f"{name} {format_value(metric.value)}{against}: {fault}"
        return Check("evaluation", "error", line, True, stored.value if stored else None)

    def gone(self) -> Iterator[_Judged]:
        """Yield the metrics of the baseline that are no longer measured."""
        stored = self.last.baseline.metrics if self.last else {}
        for name, metric in stored.items():
            if name not in self.measurement.metrics:
                line = (
                    f"{name} of the baseline ({format_value(metric.value)}) is no longer measured: "
                    f"put it back into the file, or run {_UPDATE} to drop it"
                )
                check = Check("baseline", "error", line, True, metric.value)
                better = metric.higher_is_better
                yield _Judged(Comparison(name, _type(metric.definition), None, {}, better, (check,)))

    def _comparison(self, name: str, checks: tuple[Check, ...]) -> Comparison:
        metric = self.measurement.metrics[name]
        return Comparison(
            name=name,
            type=_type(self.measurement.definitions[name]),
            value=float(metric.value),
            components=metric.components,
            higher_is_better=metric.higher_is_better,
            checks=checks,
            shows_components=name in self.references and self.references[name].shows_components,
        )

    def _gate(self, name: str) -> Gate:
        return self.gates.get(name, Gate())


def judge(
    key: Key,
    measurement: Measurement,
    gates: Mapping[str, Gate],
    baseline: Baseline | None,
    outcomes: Outcomes | None = None,
    *,
    references: Mapping[str, Reference] = {},
    anchor: tuple[Baseline, Outcomes] | None = None,
) -> Verdict:
    """Return the verdict on `measurement`, which belongs to `key`.

    Args:
        key: where `baseline` has another one, it serves as fallback.
        measurement: what was measured.
        gates: by metric; a metric without one is judged by provenance.
        baseline: what it is compared with, if there is anything.
        outcomes: the baseline's, of each sample.
        references: published values by metric.
        anchor: the baseline that only ``--launcher-anchor`` moves, with its outcomes.

    Raises:
        BaselineError: stored evidence is damaged.
    """
    last = Standing("baseline", _UPDATE, baseline, outcomes, key, measurement) if baseline else None
    drift = Standing("anchor", f"{_UPDATE} --launcher-anchor", *anchor, key, measurement) if anchor else None
    judge = _Judge(key, measurement, gates, references, last, drift)
    if measurement.stopped and last:
        return stopped_early(measurement, measurement.stopped, gates, last.baseline, last.changes)
    problem = _unusable(measurement, gates)
    judged = [*(judge.metric(name, problem) for name in measurement.metrics), *judge.gone()]
    if not judged:
        return Verdict("error", "no metric is measured, at least one expected: name one in the file", (), (), True)
    return _summary(judged, last.changes if last else None)


def _unusable(measurement: Measurement, gates: Mapping[str, Gate]) -> str | None:
    """Return what is wrong with the measurement itself."""
    counts = Counter(measurement.outcomes.ids)
    twice = next((identifier for identifier, count in counts.items() if count > 1), None)
    if twice is not None:
        return (
            f"sample {twice!r} occurs {counts[twice]} times, once expected; make the identifiers of the dataset unique"
        )
    findings = selfcheck_findings(measurement, gates)
    return f"selfcheck, {'; '.join(findings)}" if findings else None


def _type(definition: str) -> str:
    return definition.partition("(")[0]


def _summary(judged: Sequence[_Judged], changes: Changes | None) -> Verdict:
    comparisons = tuple(item.comparison for item in judged)
    worst = min((comparison.worst for comparison in comparisons), key=lambda check: check.rank)
    failed = sum(any(check.failed for check in comparison.checks) for comparison in comparisons)
    count = failed or sum(comparison.verdict == worst.verdict for comparison in comparisons)
    fallback = f"; {changes.fallback}" if changes and changes.fallback else ""
    return Verdict(
        status=worst.verdict,
        message=f"{worst.line}{and_more(count - 1)}{fallback}",
        comparisons=comparisons,
        changed=changes.all if changes else (),
        failed=failed > 0,
        provenance=changes.provenance if changes else "",
        flips=tuple(flip for item in judged for flip in item.flips),
        slices=tuple(result for item in judged for result in item.slices),
    )
