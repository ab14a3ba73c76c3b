"""The decision itself: a metric against one stored baseline, by its value or by the interval of the difference."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ..baselines.baseline import MetricBaseline
from ..gate import Gate
from ..types import MetricValue
from .changes import Changes
from .margins import Allowance
from .pairs import Paired
from .statistics import (
    Interval,
    bootstrap_interval,
    bootstrap_mean_interval,
    mcnemar,
    paired_interval,
    samples_needed,
    smallest_drop,
    standard_error,
)
from .verdict import FAILED, Check
from .wording import compared

__all__ = ["Case", "weighed"]

_TOLERANCE = 1e-9
_AGREEMENT = 1e-5
_SET_RESAMPLES = 400
"""Of a set metric, whose every resample is summarised anew."""


@dataclass(frozen=True)
class Case:
    """A metric beside what is stored of it.

    Args:
        against: ``baseline`` or ``anchor``.
        command: what stores the measured value in its place.
        pair: the metric on the same samples before and after; None where nobody knows.
    """

    name: str
    metric: MetricValue
    gate: Gate
    against: str
    command: str
    stored: MetricBaseline
    changes: Changes
    pair: Paired | None

    @property
    def gain(self) -> float:
        """The difference oriented so that positive is better."""
        delta = float(self.metric.value) - self.stored.value
        return delta if self.metric.higher_is_better else -delta

    @property
    def loss(self) -> float:
        """How much worse, relative to what a hundred points are."""
        return -self.gain / ((1.0 if self.metric.bounded else abs(self.stored.value)) or 1.0)

    @property
    def values(self) -> str:
        """How its messages start."""
        return compared(self.name, float(self.metric.value), self.stored.value, self.against)


def weighed(case: Case, allowed: Allowance) -> Check:
    """Return the check of `case`, of which so much may be lost."""
    if allowed.refused:
        return Check(case.against, "error", f"{case.values}: {allowed.refused}", True, case.stored.value, allowed.drop)
    if case.gate.is_paired and not allowed.exact:
        return _paired(case, allowed)
    return _point(case, allowed)


def _point(case: Case, allowed: Allowance) -> Check:
    slack = abs(case.stored.value) * _AGREEMENT if allowed.exact else allowed.drop
    lost, gained = _flipped(case.pair) if allowed.exact else (0, 0)
    if lost or case.gain < -slack - _TOLERANCE:
        verdict = "regressed"
    else:
        verdict = "improved" if gained or case.gain > slack + _TOLERANCE else "pass"
    return _check(case, allowed, verdict)


def _paired(case: Case, allowed: Allowance) -> Check:
    pair = case.pair
    if pair is None or not pair.can_resample:
        line = (
            f"{case.values}: test: paired needs outcomes of each sample, and "
            f"{_lacking(pair)}; set test: point for this metric"
        )
        return Check(case.against, "error", line, True, case.stored.value, allowed.drop)
    interval = _interval(pair, case.gate.error_rate)
    return _check(case, allowed, _by_interval(case, pair, interval, allowed.drop), interval)


def _lacking(pair: Paired | None) -> str:
    if pair is None or pair.is_mean:
        return "the baseline has none"
    return "the baseline keeps none that can be resampled (run pytest --launcher-update if it can)"


def _by_interval(case: Case, pair: Paired, interval: Interval, drop: float) -> str:
    if interval.upper < -drop - _TOLERANCE:
        return "regressed"
    if interval.lower > _TOLERANCE:
        return "improved"
    # Where no sample changed, no drop was seen at all, however few there are.
    unchanged = pair.is_binary and not len(pair.lost) and not len(pair.gained)
    return "pass" if unchanged or interval.lower >= -drop - _TOLERANCE else "inconclusive"


def _interval(pair: Paired, alpha: float) -> Interval:
    if pair.is_binary:
        return paired_interval(len(pair.lost), len(pair.gained), pair.n, alpha)
    if pair.is_mean:
        return bootstrap_mean_interval(pair.changes[~np.isnan(pair.changes)], alpha)
    everything = pair.delta(np.arange(pair.n))
    return bootstrap_interval(pair.delta, pair.n, everything, alpha, resamples=_SET_RESAMPLES)


def _check(case: Case, allowed: Allowance, verdict: str, interval: Interval | None = None) -> Check:
    told = _told(case, allowed, verdict, interval)
    binary = case.pair is not None and case.pair.is_binary
    return Check(
        against=case.against,
        verdict=verdict,
        line=f"{case.values} ({allowed.why}): {told}",
        failed=verdict in FAILED or _asked_for(case.gate, verdict, "fail"),
        baseline=case.stored.value,
        allowed=allowed.drop,
        lower=interval.lower if interval else None,
        upper=interval.upper if interval else None,
        p_value=mcnemar(*_flipped(case.pair)) if interval and binary else None,
        detectable=_detectable(case, interval),
        loss=case.loss,
        warns=_asked_for(case.gate, verdict, "warn"),
    )


def _asked_for(gate: Gate, verdict: str, what: str) -> bool:
    if verdict == "improved":
        return gate.on_improve == what
    if verdict == "inconclusive":
        chosen = gate.on_inconclusive or "auto"
        return ("warn" if chosen == "auto" else chosen) == what
    return False


def _told(case: Case, allowed: Allowance, verdict: str, interval: Interval | None) -> str:
    """Return the verdict with the samples that made it; gained ones beside lost ones where no drop shows."""
    lost, gained = _flipped(case.pair)
    bounds = f", {_bounds(interval)}" if interval else ""
    if verdict == "regressed":
        beside = f", {gained} gained" if gained and (case.gain >= 0 or interval) else ""
        samples = f", {lost} of {case.pair.n} samples lost{beside}" if lost and case.pair else ""
        return f"regressed{samples}{bounds}"
    if verdict == "improved":
        samples = f", {gained} of {case.pair.n} samples gained" if gained and case.pair else ""
        return f"improved{samples}{bounds}: run {case.command} to keep it"
    if verdict == "inconclusive" and interval and case.pair:
        return f"inconclusive{bounds}; {_needed(case, case.pair, interval, allowed.drop):,} samples would tell"
    return f"{verdict}{bounds}"


def _bounds(interval: Interval) -> str:
    return f"difference between {interval.lower:+.4f} and {interval.upper:+.4f}"


def _needed(case: Case, pair: Paired, interval: Interval, drop: float) -> int:
    """Return how many samples it would take to tell a drop of the margin, or of what was seen where that is 0."""
    alpha = case.gate.error_rate
    sought = drop or max(abs(interval.delta), 1 / pair.n)
    if pair.is_binary:
        return samples_needed(min(sought, 1.0), (len(pair.lost) + len(pair.gained)) / pair.n, alpha)
    error = standard_error(interval, alpha)
    smallest = _smallest(error, alpha)
    return int(np.ceil(pair.n * (smallest / sought) ** 2)) if sought else pair.n


def _detectable(case: Case, interval: Interval | None) -> float | None:
    """Return the smallest drop that these samples can prove; None where nobody knows."""
    pair, alpha = case.pair, case.gate.error_rate
    if pair is not None and pair.is_binary:
        return smallest_drop(pair.n, (len(pair.lost) + len(pair.gained)) / pair.n, alpha)
    return _smallest(standard_error(interval, alpha), alpha) if interval else None


def _smallest(error: float, alpha: float, beta: float = 0.2) -> float:
    normal = NormalDist()
    return (normal.inv_cdf(1 - alpha) + normal.inv_cdf(1 - beta)) * error


def _flipped(pair: Paired | None) -> tuple[int, int]:
    return (len(pair.lost), len(pair.gained)) if pair else (0, 0)
