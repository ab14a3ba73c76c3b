"""The verdict on a measurement: what changed since the baseline decides how much may change. Pure functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..plan import Gate
from ..types import Array, Measurement, MetricValue, Outcomes
from .baseline import Baseline, Key, MetricBaseline
from .changes import Changes

__all__ = [
    "Comparison",
    "Verdict",
    "and_more",
    "compared",
    "format_allowed",
    "format_delta",
    "format_value",
    "judge",
]

_SEVERITY = ("error", "stale_baseline", "regressed", "missing_baseline", "improved", "pass")
_FAILED = _SEVERITY[:4]
_TOLERANCE = 1e-9
_AGREEMENT = 1e-5
_OTHER_WEIGHTS = 0.5
_POINTS = {"fp32": 0.2, "amp": 0.5, "bf16": 0.5, "fp16": 0.5, "int8": 1.0}
"""Margins in points: of a metric bounded by 0 and 1 a point is 0.01, of another 1 % of the baseline."""


@dataclass(frozen=True)
class Comparison:
    """One metric beside its baseline; `delta` is value - baseline whatever the direction.

    Args:
        value: what was measured; None for a metric of the baseline that is no longer measured.
        allowed: how much worse the metric may be; None where it is not judged.
    """

    name: str
    type: str
    value: float | None
    components: Mapping[str, float]
    higher_is_better: bool
    baseline: float | None
    delta: float | None
    allowed: float | None
    verdict: str

    @property
    def gain(self) -> float | None:
        """The delta oriented so that positive is better."""
        return self.delta if self.delta is None or self.higher_is_better else -self.delta


@dataclass(frozen=True)
class Verdict:
    """What the comparisons come to: `message` is the first line, `changed` all differences since the baseline."""

    status: str
    message: str
    comparisons: tuple[Comparison, ...]
    changed: tuple[str, ...]
    failed: bool


@dataclass(frozen=True)
class _Finding:
    """A comparison with its line; `loss` is how much worse it is, for the worst to be named first."""

    comparison: Comparison
    line: str
    failed: bool
    loss: float = 0.0

    @property
    def rank(self) -> tuple[int, bool, float]:
        """Sorts the worst first."""
        return _SEVERITY.index(self.comparison.verdict), not self.failed, -self.loss


@dataclass(frozen=True)
class _Flips:
    """How many of `n` samples with outcome 0 or 1 changed for the worse and for the better."""

    lost: int = 0
    gained: int = 0
    n: int = 0


@dataclass(frozen=True)
class _Case:
    """What one metric is judged by."""

    name: str
    metric: MetricValue
    type: str
    gate: Gate
    key: Key
    stored: MetricBaseline | None = None
    changes: Changes | None = None
    flips: _Flips = field(default_factory=_Flips)


def judge(
    key: Key,
    measurement: Measurement,
    gates: Mapping[str, Gate],
    baseline: Baseline | None,
    outcomes: Outcomes | None = None,
) -> Verdict:
    """Return the verdict on `measurement`, which belongs to `key`.

    Args:
        key: where `baseline` has another one, it serves as fallback.
        measurement: what was measured.
        gates: by metric; a metric without one is judged by provenance.
        baseline: what it is compared with, if there is anything.
        outcomes: the baseline's, in which flips are counted.
    """
    changes = Changes.since(baseline, key, measurement) if baseline else None
    cases = list(_cases(key, measurement, gates, baseline, changes, outcomes))
    problem = _unusable(measurement)
    findings = [_error(case, problem) if problem else _find(case) for case in cases]
    if baseline:
        gone = [name for name in baseline.metrics if name not in measurement.metrics]
        findings += [_gone(name, baseline.metrics[name]) for name in gone]
    if not findings:
        return Verdict("error", "no metric is measured, at least one expected: name one in the file", (), (), True)
    return _summary(findings, changes)


def format_value(value: float, *others: float) -> str:
    """Return `value` with four decimals, or as many as tell it from `others` and from zero."""
    decimals = _decimals(value, *others)
    return f"{value:.6g}" if decimals is None else f"{value:.{decimals}f}"


def format_delta(value: float, baseline: float) -> str:
    """Return value - baseline with its sign and the decimals of both."""
    decimals = _decimals(value, baseline)
    delta = value - baseline
    return f"{delta:+.3g}" if decimals is None else f"{delta:+.{decimals}f}"


def format_allowed(allowed: float) -> str:
    """Return an allowed drop; 0 where none is."""
    return format_value(allowed) if allowed else "0"


def compared(name: str, value: float, baseline: float) -> str:
    """Return how every message starts: ``top1 0.9472, baseline 0.9944, delta -0.0472``."""
    shown, stored = format_value(value, baseline), format_value(baseline, value)
    return f"{name} {shown}, baseline {stored}, delta {format_delta(value, baseline)}"


def and_more(count: int) -> str:
    """Return ``" (and 2 more metrics)"``; empty for none."""
    return f" (and {count} more metric{'s' if count > 1 else ''})" if count else ""


def _decimals(*values: float) -> int | None:
    """Return the fewest decimals from four on that keep different values different; None where none do."""
    different = {*values, 0.0}
    return next((d for d in range(4, 10) if len({round(v, d) for v in different}) == len(different)), None)


def _cases(
    key: Key,
    measurement: Measurement,
    gates: Mapping[str, Gate],
    baseline: Baseline | None,
    changes: Changes | None,
    outcomes: Outcomes | None,
) -> Iterator[_Case]:
    for name, metric in measurement.metrics.items():
        yield _Case(
            name=name,
            metric=metric,
            type=_type(measurement.definitions[name]),
            gate=gates.get(name, Gate()),
            key=key,
            stored=baseline.metrics.get(name) if baseline else None,
            changes=changes,
            flips=_flips(f"metric:{name}", outcomes, measurement.outcomes, metric.higher_is_better),
        )


def _find(case: _Case) -> _Finding:
    if not math.isfinite(case.metric.value):
        return _error(case, "not a finite number, so nothing can be judged; check outputs and annotations")
    if case.stored is None or case.changes is None:
        return _missing(case)
    if reasons := case.changes.stale(case.name):
        line = f"{_values(case, case.stored)}: stale baseline, {'; '.join(reasons)}"
        return _Finding(_comparison(case, "stale_baseline"), line, failed=True, loss=_loss(case, case.stored))
    return _weighed(case, case.stored, case.changes)


def _error(case: _Case, problem: str) -> _Finding:
    measured = f"{case.name} {format_value(case.metric.value)}"
    against = f", baseline {format_value(case.stored.value)}" if case.stored else ""
    return _Finding(_comparison(case, "error"), f"{measured}{against}: {problem}", failed=True)


def _missing(case: _Case) -> _Finding:
    # Beside metrics of other weights a new one cannot be recorded, only all together.
    command = "--launcher-update" if case.changes and case.changes.model else "--launcher-record"
    lacking = f"{case.key.name} on {case.key.place}: run pytest {command}"
    which = "no baseline of this metric" if case.changes else "no baseline"
    line = f"{case.name} {format_value(case.metric.value)}, {which} for {lacking}"
    return _Finding(_comparison(case, "missing_baseline"), line, failed=True)


def _gone(name: str, stored: MetricBaseline) -> _Finding:
    line = (
        f"{name} of the baseline ({format_value(stored.value)}) is no longer measured: "
        "put it back into the file, or run pytest --launcher-update to drop it"
    )
    kind, better = _type(stored.definition), stored.higher_is_better
    return _Finding(Comparison(name, kind, None, {}, better, stored.value, None, None, "error"), line, failed=True)


def _weighed(case: _Case, stored: MetricBaseline, changes: Changes) -> _Finding:
    given = case.gate.allowed(stored.value)
    exact = given is None and changes.none
    allowed, why = (given, "gate margin") if given is not None else (_margin(case, stored, changes), changes.provenance)
    slack = abs(stored.value) * _AGREEMENT if exact else allowed
    verdict = _decide(_gain(case, stored), slack, case.flips if exact else _Flips())
    told = _told(verdict, case.flips, _gain(case, stored))
    line = f"{_values(case, stored)} (allowed {format_allowed(allowed)}, {why}): {told}"
    failed = verdict in _FAILED or (verdict == "improved" and case.gate.on_improve == "fail")
    return _Finding(_comparison(case, verdict, allowed), line, failed, _loss(case, stored))


def _decide(gain: float, slack: float, flips: _Flips) -> str:
    if flips.lost or gain < -slack - _TOLERANCE:
        return "regressed"
    return "improved" if flips.gained or gain > slack + _TOLERANCE else "pass"


def _margin(case: _Case, stored: MetricBaseline, changes: Changes) -> float:
    """Return the allowed drop by provenance, never less than one sample where anything differs."""
    if changes.none:
        return 0.0
    points = _OTHER_WEIGHTS if changes.model else max(_POINTS.get(p, _POINTS["fp32"]) for p in changes.precisions)
    return max(points / 100, 1 / max(stored.n, 1)) * _scale(case, stored)


def _told(verdict: str, flips: _Flips, gain: float) -> str:
    """Return the verdict with the samples that made it; gained ones beside lost ones where no drop shows."""
    if verdict == "regressed" and flips.lost:
        gained = f", {flips.gained} gained" if flips.gained and gain >= 0 else ""
        return f"regressed, {flips.lost} of {flips.n} samples lost{gained}"
    if verdict == "improved":
        gained = f", {flips.gained} of {flips.n} samples gained" if flips.gained else ""
        return f"improved{gained}: run pytest --launcher-update to keep it"
    return verdict


def _gain(case: _Case, stored: MetricBaseline) -> float:
    """Return the delta oriented so that positive is better."""
    delta = case.metric.value - stored.value
    return delta if case.metric.higher_is_better else -delta


def _loss(case: _Case, stored: MetricBaseline) -> float:
    return -_gain(case, stored) / (_scale(case, stored) or 1.0)


def _scale(case: _Case, stored: MetricBaseline) -> float:
    """Return what a hundred points are."""
    return 1.0 if case.metric.bounded else abs(stored.value)


def _flips(column: str, before: Outcomes | None, after: Outcomes, higher_is_better: bool) -> _Flips:
    """Count flips in a column of zeros and ones; none where it is missing, or holds other numbers."""
    old, new = before.columns.get(column) if before else None, after.columns.get(column)
    if old is None or new is None or old.shape != new.shape or not (_is_binary(old) and _is_binary(new)):
        return _Flips()
    change = new.astype(np.int8) - old.astype(np.int8)
    fell, rose = int((change < 0).sum()), int((change > 0).sum())
    return _Flips(fell, rose, len(new)) if higher_is_better else _Flips(rose, fell, len(new))


def _is_binary(column: Array) -> bool:
    return bool(np.isin(column, (0, 1)).all())


def _values(case: _Case, stored: MetricBaseline) -> str:
    return compared(case.name, float(case.metric.value), stored.value)


def _comparison(case: _Case, verdict: str, allowed: float | None = None) -> Comparison:
    value = float(case.metric.value)
    return Comparison(
        name=case.name,
        type=case.type,
        value=value,
        components=case.metric.components,
        higher_is_better=case.metric.higher_is_better,
        baseline=case.stored.value if case.stored else None,
        delta=value - case.stored.value if case.stored else None,
        allowed=allowed,
        verdict=verdict,
    )


def _unusable(measurement: Measurement) -> str | None:
    """Return what is wrong with the samples themselves."""
    counts = Counter(measurement.outcomes.ids)
    twice = next((identifier for identifier, count in counts.items() if count > 1), None)
    if twice is None:
        return None
    return f"sample {twice!r} occurs {counts[twice]} times, once expected; make the identifiers of the dataset unique"


def _type(definition: str) -> str:
    return definition.partition("(")[0]


def _summary(findings: Sequence[_Finding], changes: Changes | None) -> Verdict:
    worst = min(findings, key=lambda finding: finding.rank)
    status = worst.comparison.verdict
    count = sum(f.failed for f in findings) or sum(f.comparison.verdict == status for f in findings)
    fallback = f"; {changes.fallback}" if changes and changes.fallback else ""
    return Verdict(
        status=status,
        message=f"{worst.line}{and_more(count - 1)}{fallback}",
        comparisons=tuple(finding.comparison for finding in findings),
        changed=changes.all if changes else (),
        failed=worst.failed,
    )
