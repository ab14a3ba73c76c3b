"""A measurement against a store, by the mode of the run: check, record or update."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from ..baselines.baseline import Baseline, Key
from ..baselines.outcomes import content_hash
from ..baselines.store import Store
from ..errors import BaselineError
from ..gate import Gate, Reference
from ..types import Measurement, Outcomes
from .judge import judge
from .keeping import kept_outcomes
from .verdict import Check, Comparison, Verdict
from .wording import and_more, compared, format_value

__all__ = ["Assessment", "Criteria", "Mode", "Stored", "assess"]

Mode: TypeAlias = Literal["check", "record", "update"]
Stored: TypeAlias = tuple[Baseline, Outcomes]
"""A baseline with the outcomes that it names."""

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Criteria:
    """What the metrics of an evaluation are judged by: gates and published values, by metric."""

    gates: Mapping[str, Gate] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)


@dataclass(frozen=True)
class Assessment:
    """The verdict, and what is to be stored: a baseline with the outcomes that it names, or nothing.

    `candidate` is what would be stored if somebody accepted what a failing or better run measured.
    """

    verdict: Verdict
    write: Stored | None = None
    candidate: Stored | None = None


def assess(
    measurement: Measurement,
    criteria: Criteria,
    store: Store,
    key: Key,
    mode: Mode,
    reason: str | None = None,
    *,
    moves_anchor: bool = False,
) -> Assessment:
    """Judge `measurement` and say what is to be stored; nothing is written here.

    Args:
        measurement: what was measured.
        criteria: what it is judged by.
        store: where the baselines of its launcher file lie.
        key: what the measurement belongs to.
        mode: ``record`` stores what is missing, ``update`` what was measured, ``check`` only the noise of reruns.
        reason: why a metric may be lowered; without it an update that lowers one is refused.
        moves_anchor: whether an update moves the anchor, too.

    Raises:
        BaselineError: the baseline file cannot be read.
    """
    run = _Run(measurement, criteria, store, key)
    stored = store.find(key)
    if mode == "check":
        assessment = run.checked(stored)
    elif stored is None:
        assessment = run.first()
    elif mode == "record":
        assessment = run.recorded(stored)
    else:
        assessment = run.updated(stored, reason, moves_anchor=moves_anchor)
    return run.offered(assessment, stored)


@dataclass(frozen=True)
class _Run:
    """One measurement on its way to be judged and stored."""

    measurement: Measurement
    criteria: Criteria
    store: Store
    key: Key

    def checked(self, stored: Baseline | None) -> Assessment:
        """Judge by `stored`, else by another environment's."""
        if self.measurement.reruns and stored:
            return self._calibrated(stored)
        other = None if stored else self.store.fallback(self.key)
        verdict = self._judged(stored or other)
        if self.measurement.reruns and other:
            return Assessment(_uncalibrated(verdict, f"there is no baseline of {self.key.place}", "--launcher-record"))
        return Assessment(verdict)

    def offered(self, assessment: Assessment, stored: Baseline | None) -> Assessment:
        """Add the candidate to an `assessment` that failed or found something better."""
        verdict, measurement = assessment.verdict, self.measurement
        wanted = verdict.failed or verdict.status == "improved"
        whole = measurement.metrics and not measurement.is_subset and not measurement.stopped
        if not wanted or not whole or verdict.is_unusable:
            return assessment
        return replace(assessment, candidate=self._new(reason=None, stored=stored))

    def first(self) -> Assessment:
        """Record what has no baseline yet."""
        verdict = judge(self.key, self.measurement, self.criteria.gates, None)
        if verdict.is_unusable:
            return Assessment(verdict)
        return Assessment(_settled(verdict, "recorded", verdict.comparisons), self._new(reason=None, stored=None))

    def recorded(self, stored: Baseline) -> Assessment:
        """Judge by the baseline that stands, and add the metrics that it lacks."""
        new = [name for name in self.measurement.metrics if name not in stored.metrics]
        if not new:
            return self.checked(stored)
        verdict = self._judged(stored)
        # A metric of other weights would stand under the provenance of the old ones.
        if verdict.status in ("error", "stale_baseline") or self.measurement.model != stored.model:
            return Assessment(verdict)
        known = {name: metric for name, metric in self.measurement.metrics.items() if name in stored.metrics}
        rest = replace(self, measurement=replace(self.measurement, metrics=known))._judged(stored)
        recorded = _settled(verdict, "recorded", [c for c in verdict.comparisons if c.name in new])
        if rest.failed:
            recorded = replace(rest, comparisons=recorded.comparisons)
        return Assessment(recorded, self._extended(stored, new))

    def updated(self, stored: Baseline, reason: str | None, *, moves_anchor: bool) -> Assessment:
        """Replace the baseline by what was measured; metrics gone from the file go with it."""
        kept = {name: metric for name, metric in stored.metrics.items() if name in self.measurement.metrics}
        # Values alone: the stored outcomes may be what the update mends.
        margins = {name: Gate(margin=gate.margin) for name, gate in self.criteria.gates.items()}
        verdict = judge(stored.key, self.measurement, margins, replace(stored, metrics=kept))
        if verdict.is_unusable:
            return Assessment(verdict)
        worse = [c for c in verdict.comparisons if c.gain is not None and c.gain < -_TOLERANCE]
        if worse and not reason:
            return Assessment(_refused(verdict, worse))
        new = self._new(reason=reason, stored=stored)
        # The anchor may lie behind values that stay.
        drifted = moves_anchor and self.store.anchor(self.key) != stored
        if self.store.holds(new[0]) and not drifted:
            # Writing it changes nothing, but shows where another evaluation claims the same entry.
            return Assessment(self._judged(stored), new)
        return Assessment(_settled(verdict, "updated", verdict.comparisons), new)

    def _judged(self, baseline: Baseline | None) -> Verdict:
        gates, references = self.criteria.gates, self.criteria.references
        try:
            outcomes = self.store.outcomes(baseline) if baseline else None
            anchor = self._anchor(baseline) if any(gate.anchor is not None for gate in gates.values()) else None
            return judge(self.key, self.measurement, gates, baseline, outcomes, references=references, anchor=anchor)
        except BaselineError as error:
            return _unreadable(judge(self.key, self.measurement, gates, None), error)

    def _anchor(self, baseline: Baseline | None) -> Stored | None:
        anchor = self.store.anchor(baseline.key) if baseline else None
        return (anchor, self.store.outcomes(anchor, "--launcher-update --launcher-anchor")) if anchor else None

    def _new(self, *, reason: str | None, stored: Baseline | None) -> Stored:
        """Return what is stored of this measurement; noise that was calibrated stays until it is calibrated anew."""
        outcomes = kept_outcomes(self.measurement, self.criteria.gates)
        new = Baseline.of(self.key, self.measurement, outcomes, reason=reason)
        return (new.replacing(stored) if stored else new), outcomes

    def _extended(self, stored: Baseline, names: Collection[str]) -> Stored:
        """Return `stored` and its outcomes with the metrics `names` added, and nothing else changed."""
        outcomes, new = self.store.outcomes(stored), kept_outcomes(self.measurement, self.criteria.gates)
        columns = {name: column for name, column in new.columns.items() if name.removeprefix("metric:") in names}
        evidence = {name: part for name, part in new.evidence.items() if name.rpartition("/")[0] in names}
        both = Outcomes(outcomes.ids, {**outcomes.columns, **columns}, {**outcomes.evidence, **evidence})
        measured = Baseline.of(stored.key, self.measurement).metrics
        metrics = {**stored.metrics, **{name: measured[name] for name in names}}
        return replace(stored, metrics=metrics, outcomes=content_hash(both)), both

    def _calibrated(self, stored: Baseline) -> Assessment:
        """Store the spread of the reruns beside the values that stand, which must be of the same weights."""
        if self.measurement.model != stored.model:
            why = "the baseline is of other weights"
            return Assessment(_uncalibrated(self._judged(stored), why, "--launcher-update"))
        measured = Baseline.of(stored.key, self.measurement).metrics
        metrics = {
            name: replace(metric, noise=measured[name].noise) if name in measured else metric
            for name, metric in stored.metrics.items()
        }
        calibrated = replace(stored, metrics=metrics)
        verdict = self._judged(calibrated)
        stale = any(comparison.checks[0].verdict == "stale_baseline" for comparison in verdict.comparisons)
        if calibrated == stored or verdict.is_unusable or stale:
            return Assessment(verdict)
        return Assessment(verdict, (calibrated, self.store.outcomes(stored)))


def _unreadable(verdict: Verdict, error: BaselineError) -> Verdict:
    """Return `verdict`, which knows of no baseline, as the error of one that cannot be read."""
    if verdict.is_unusable:
        return verdict
    return replace(_settled(verdict, "error", verdict.comparisons), message=str(error), failed=True)


def _uncalibrated(verdict: Verdict, why: str, option: str) -> Verdict:
    message = f"calibration refused, {why}: run pytest {option} first"
    return replace(verdict, status="error", message=message, failed=True)


def _refused(verdict: Verdict, worse: Collection[Comparison]) -> Verdict:
    refused = _settled(verdict, "regressed", worse)
    hint = 'update refused, a metric would get worse: give --launcher-reason "…"'
    return replace(refused, message=f"{_values(worse)}: {hint}", failed=True)


def _settled(verdict: Verdict, status: str, settled: Collection[Comparison]) -> Verdict:
    """Return `verdict` with the comparisons `settled` decided as `status`, which passes."""
    names = {comparison.name for comparison in settled}
    comparisons = tuple(_decided(c, status) if c.name in names else c for c in verdict.comparisons)
    message = f"{_values(settled)}: {status}"
    return replace(verdict, status=status, message=message, comparisons=comparisons, failed=False)


def _decided(comparison: Comparison, status: str) -> Comparison:
    first = comparison.checks[0]
    check = Check(first.against, status, f"{_values([comparison])}: {status}", False, first.baseline)
    return replace(comparison, checks=(check,))


def _values(comparisons: Collection[Comparison]) -> str:
    """Return the values of the first, and how many follow."""
    first = next(iter(comparisons))
    value = first.value or 0.0
    shown = f"{first.name} {format_value(value)}"
    if first.baseline is not None:
        shown = compared(first.name, value, first.baseline)
    return shown + and_more(len(comparisons) - 1)
