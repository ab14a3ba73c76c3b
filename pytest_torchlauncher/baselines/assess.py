"""A measurement against a store, by the mode of the run: check, record or update."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ..plan import Gate
from ..types import Measurement, Outcomes
from .baseline import Baseline, Key
from .outcomes import content_hash
from .store import Store
from .verdict import Comparison, Verdict, and_more, compared, format_value, judge

__all__ = ["Assessment", "Mode", "assess"]

Mode: TypeAlias = Literal["check", "record", "update"]

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Assessment:
    """The verdict, and what is to be stored: a baseline with the outcomes that it names, or nothing."""

    verdict: Verdict
    write: Baseline | None = None
    outcomes: Outcomes | None = None


def assess(
    measurement: Measurement, gates: Mapping[str, Gate], store: Store, key: Key, mode: Mode, reason: str | None
) -> Assessment:
    """Judge `measurement` and say what is to be stored; nothing is written here.

    Args:
        measurement: what was measured.
        gates: by metric.
        store: where the baselines of its launcher file lie.
        key: what the measurement belongs to.
        mode: ``record`` stores what is missing, ``update`` what was measured, ``check`` nothing.
        reason: why a metric may be lowered; without it an update that lowers one is refused.

    Raises:
        BaselineError: the stored baseline, or the outcomes that it names, cannot be read.
    """
    stored = store.find(key)
    if mode == "check":
        return Assessment(_check(measurement, gates, store, key, stored or store.fallback(key)))
    if stored is None:
        return _first(measurement, gates, key)
    if mode == "record":
        return _record(measurement, gates, store, stored)
    return _update(measurement, gates, store, stored, reason)


def _check(
    measurement: Measurement, gates: Mapping[str, Gate], store: Store, key: Key, baseline: Baseline | None
) -> Verdict:
    return judge(key, measurement, gates, baseline, store.outcomes(baseline) if baseline else None)


def _first(measurement: Measurement, gates: Mapping[str, Gate], key: Key) -> Assessment:
    verdict = judge(key, measurement, gates, None)
    if verdict.status == "error":
        return Assessment(verdict)
    recorded = _settled(verdict, "recorded", verdict.comparisons)
    return Assessment(recorded, Baseline.of(key, measurement), measurement.outcomes)


def _record(measurement: Measurement, gates: Mapping[str, Gate], store: Store, stored: Baseline) -> Assessment:
    """Judge by the baseline that stands, and add the metrics that it lacks."""
    verdict = _check(measurement, gates, store, stored.key, stored)
    new = [c for c in verdict.comparisons if c.verdict == "missing_baseline"]
    # A metric of other weights would stand under the provenance of the old ones.
    if not new or verdict.status in ("error", "stale_baseline") or measurement.model != stored.model:
        return Assessment(verdict)
    known = {name: metric for name, metric in measurement.metrics.items() if name in stored.metrics}
    rest = _check(replace(measurement, metrics=known), gates, store, stored.key, stored)
    recorded = _settled(verdict, "recorded", new)
    if rest.failed:
        recorded = replace(rest, comparisons=recorded.comparisons)
    return Assessment(recorded, *_extended(measurement, store, stored, [c.name for c in new]))


def _extended(
    measurement: Measurement, store: Store, stored: Baseline, names: Collection[str]
) -> tuple[Baseline, Outcomes]:
    """Return `stored` and its outcomes with the metrics `names` added, and nothing else changed."""
    outcomes = store.outcomes(stored)
    columns = {f"metric:{name}" for name in names}
    added = {name: column for name, column in measurement.outcomes.columns.items() if name in columns}
    outcomes = Outcomes(outcomes.ids, {**outcomes.columns, **added})
    measured = Baseline.of(stored.key, measurement).metrics
    metrics = {**stored.metrics, **{name: measured[name] for name in names}}
    return replace(stored, metrics=metrics, outcomes=content_hash(outcomes)), outcomes


def _update(
    measurement: Measurement, gates: Mapping[str, Gate], store: Store, stored: Baseline, reason: str | None
) -> Assessment:
    """Replace the baseline by what was measured; metrics gone from the file go with it."""
    kept = {name: metric for name, metric in stored.metrics.items() if name in measurement.metrics}
    verdict = judge(stored.key, measurement, gates, replace(stored, metrics=kept))
    if verdict.status == "error":
        return Assessment(verdict)
    worse = [c for c in verdict.comparisons if c.gain is not None and c.gain < -_TOLERANCE]
    if worse and not reason:
        return Assessment(_refused(verdict, worse))
    previous = {name: metric.value for name, metric in stored.metrics.items()}
    new = Baseline.of(stored.key, measurement, reason=reason, previous=previous)
    if store.holds(new):
        return Assessment(verdict)
    return Assessment(_settled(verdict, "updated", verdict.comparisons), new, measurement.outcomes)


def _refused(verdict: Verdict, worse: Collection[Comparison]) -> Verdict:
    refused = _settled(verdict, "regressed", worse)
    hint = 'update refused, a metric would get worse: give --launcher-reason "…"'
    return replace(refused, message=f"{_values(worse)}: {hint}", failed=True)


def _settled(verdict: Verdict, status: str, settled: Collection[Comparison]) -> Verdict:
    """Return `verdict` with the comparisons `settled` decided as `status`, which passes."""
    names = {comparison.name for comparison in settled}
    comparisons = tuple(replace(c, verdict=status) if c.name in names else c for c in verdict.comparisons)
    message = f"{_values(settled)}: {status}"
    return replace(verdict, status=status, message=message, comparisons=comparisons, failed=False)


def _values(comparisons: Collection[Comparison]) -> str:
    """Return the values of the first, and how many follow."""
    first = next(iter(comparisons))
    value = first.value or 0.0
    shown = f"{first.name} {format_value(value)}"
    if first.baseline is not None:
        shown = compared(first.name, value, first.baseline)
    return shown + and_more(len(comparisons) - 1)
