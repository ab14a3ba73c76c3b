"""Runs one evaluation for pytest: measures it, judges it, and puts the result in a record."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .baselines.baseline import Baseline
from .baselines.store import Store
from .config.loader import Settings
from .errors import BaselineError, LauncherError, MissingDataError, MissingDeviceError, NonFiniteError
from .evaluation.evaluate import evaluate
from .evaluation.ledger import provenance_of_steps
from .evaluation.procedure import Procedure, Progress
from .evaluation.shared import Shared
from .figures.figures import Figures, figures_beside
from .gating.assess import Assessment, Mode, assess
from .gating.early import EarlyFail, early_fail
from .gating.judge import judge
from .gating.verdict import Verdict
from .gating.wording import format_value
from .plan import Amount
from .reads import recording
from .record import Record
from .results.results import Results
from .target import Target, measured, unmeasured
from .types import Measurement
from .user_traceback import user_traceback

__all__ = ["AccuracyImprovedWarning", "AccuracyInconclusiveWarning", "Runner"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True

_NO_BASELINE = 'a mapping has no baseline of its own; name one: torch_launcher(…, baseline="name")'


class AccuracyImprovedWarning(UserWarning):
    """A metric is better than its baseline, and its gate asks for a warning."""


class AccuracyInconclusiveWarning(UserWarning):
    """The samples prove neither that a metric fell by more than is allowed nor that it did not."""


@dataclass(frozen=True)
class Runner:
    """What options say about running evaluations.

    Args:
        settings: about all launcher files.
        mode: whether baselines are written.
        reason: why an update may lower a metric.
        moves_anchor: whether an update moves the anchor.
        require_data, require_device: whether what is lacking fails.
        limit: how many samples of each dataset are measured.
        selfcheck: whether every evaluation checks itself.
        reruns: how often each is run again to calibrate its noise.
        draws: whether a report wants charts and pictures.
    """

    settings: Settings
    mode: Mode = "check"
    reason: str | None = None
    moves_anchor: bool = False
    require_data: bool = False
    require_device: bool = False
    limit: Amount | None = None
    selfcheck: bool = False
    reruns: int = 0
    draws: bool = False

    def rerun(
        self,
        target: Target,
        given: Callable[[], Any],
        shared: Shared,
        results: Results | None,
        progress: Progress | None = None,
    ) -> Record:
        """Return what `run` returns, or what it returned where nothing changed since.

        Args:
            target: what is evaluated.
            given: gets the value of the dataset's fixture.
            shared: what the evaluation has in common with others.
            results: of earlier runs; None to run.
            progress: is told how far it is.

        Raises:
            MissingDataError, MissingDeviceError: what this machine lacks, unless it is required.
        """
        if results is None or self.mode != "check" or self.reruns:
            return self.run(target, given, shared, progress)
        known = results.find(target)
        if known is not None:
            return known
        with recording() as reads:
            record = self.run(target, given, shared, progress)
        results.keep(target, record, reads, shared.data)
        return record

    def run(
        self,
        target: Target,
        given: Callable[[], Any],
        shared: Shared | None = None,
        progress: Progress | None = None,
    ) -> Record:
        """Return the record of `target`.

        Args:
            target: what is evaluated.
            given: gets the value of the dataset's fixture.
            shared: what the evaluation has in common with others.
            progress: is told how far it is.

        Raises:
            MissingDataError, MissingDeviceError: what this machine lacks, unless it is required.
        """
        try:
            evaluation = target.evaluation
            if target.baselines is None and not target.is_published:
                raise BaselineError(_NO_BASELINE)
            value = given() if evaluation.dataset.fixture else None
            figures = figures_beside(target) if self.draws else None
            procedure = replace(self._procedure(target, figures), progress=progress)
            measurement = evaluate(evaluation, value, procedure, shared)
            record = self._judged(target, measurement)
            return figures.added(record, measurement) if figures else record
        except LauncherError as error:
            if isinstance(error, MissingDataError) and not self.require_data:
                raise
            if isinstance(error, MissingDeviceError) and not self.require_device:
                raise
            return self._error(target, error)

    def _judged(self, target: Target, measurement: Measurement) -> Record:
        assessment = self._assessed(target, measurement)
        record = measured(target, measurement, assessment, moves_anchor=self.moves_anchor)
        return replace(record, failed=_warned_as_error(target, assessment.verdict) or record.failed)

    def _assessed(self, target: Target, measurement: Measurement) -> Assessment:
        criteria = target.criteria
        if target.baselines is None:
            return Assessment(judge(target.key, measurement, criteria.gates, None, references=criteria.references))
        store = Store(target.baselines)
        return assess(measurement, criteria, store, target.key, self.mode, self.reason, moves_anchor=self.moves_anchor)

    def _procedure(self, target: Target, figures: Figures | None) -> Procedure:
        """Return how `target` is run."""
        evaluation = target.evaluation
        gates = [spec.gate for spec in evaluation.metrics]
        return Procedure(
            limit=self.limit,
            reruns=self.reruns,
            selfcheck=self.selfcheck or evaluation.selfcheck,
            groups=tuple(dict.fromkeys(gate.slices.by for gate in gates if gate.slices)),
            watch=self._watch(target) if any(gate.early_fail for gate in gates) else None,
            shown=figures.shown if figures else None,
        )

    def _watch(self, target: Target) -> EarlyFail | None:
        """Return what may end the evaluation early: not where the whole is stored, or would be another part."""
        if target.baselines is None or self.mode != "check" or self.limit or self.reruns:
            return None
        store = Store(target.baselines)
        baseline = store.find(target.key) or store.fallback(target.key)
        if baseline is None or not _has_steps_of(baseline, target):
            return None
        specs = [spec for spec in target.evaluation.metrics if spec.metric.block.is_mean]
        definitions = {spec.name: str(spec.metric) for spec in specs}
        return early_fail(baseline, store.outcomes(baseline), {s.name: s.gate for s in specs}, definitions)

    def _error(self, target: Target, error: LauncherError) -> Record:
        message = self._non_finite(target, error) if isinstance(error, NonFiniteError) else str(error)
        detail = user_traceback(error.__cause__) if isinstance(error.__cause__, BaseException) else ""
        return unmeasured(target, message, detail)

    def _non_finite(self, target: Target, error: NonFiniteError) -> str:
        spec = target.evaluation.metrics[0]
        word = "nan" if error.kind == "NaN" else "inf"
        stored = self._baseline_text(target, spec.name)
        return f"{spec.name} {word}{stored}: output {error.kind} from {error.identifier} on"

    def _baseline_text(self, target: Target, metric: str) -> str:
        store = Store(target.baselines) if target.baselines else None
        try:
            baseline = store and (store.find(target.key) or store.fallback(target.key))
        except BaselineError:
            return ""
        stored = baseline.metrics.get(metric) if baseline else None
        return f", baseline {format_value(stored.value)}" if stored else ""


def _has_steps_of(baseline: Baseline, target: Target) -> bool:
    """Return whether the samples go through the steps of `baseline`."""
    steps = provenance_of_steps(target.evaluation)
    return all(getattr(baseline.data, name) == value for name, value in steps.items())


def _warned_as_error(target: Target, verdict: Verdict) -> bool:
    """Warn where a gate asks for it; return whether the project makes such a warning an error."""
    where = target.evaluation.dataset.where.own
    warned = [check for comparison in verdict.comparisons for check in comparison.checks if check.warns]
    try:
        for check in warned:
            improved = check.verdict == "improved"
            category = AccuracyImprovedWarning if improved else AccuracyInconclusiveWarning
            warnings.warn_explicit(check.line, category, str(where.file), where.line)
    except (AccuracyImprovedWarning, AccuracyInconclusiveWarning):
        return True
    return False
