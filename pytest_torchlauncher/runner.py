"""Runs one evaluation for pytest: measures it, judges it, and puts the result in a record."""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .baselines.baseline import Baseline, Key
from .baselines.outcomes import pack
from .baselines.store import Store
from .config.loader import Settings
from .errors import BaselineError, LauncherError, MissingDataError, MissingDeviceError, NonFiniteError
from .evaluation.evaluate import evaluate
from .evaluation.ledger import provenance_of_steps
from .evaluation.procedure import Procedure
from .gating.assess import Assessment, Criteria, Mode, assess
from .gating.early import EarlyFail, early_fail
from .gating.table import render
from .gating.verdict import Check, Verdict
from .gating.wording import format_value
from .plan import Amount, Evaluation
from .record import Record, StoredEntry
from .types import Measurement

__all__ = ["AccuracyImprovedWarning", "AccuracyInconclusiveWarning", "Runner", "Target"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True


class AccuracyImprovedWarning(UserWarning):
    """A metric is better than its baseline, and its gate asks for a warning."""


class AccuracyInconclusiveWarning(UserWarning):
    """The samples prove neither that a metric fell by more than is allowed nor that it did not."""


@dataclass(frozen=True)
class Target:
    """One evaluation with its place in the session and the baseline file it is judged against, if any."""

    id: str
    index: int
    evaluation: Evaluation
    baselines: Path | None
    baseline_model: str

    @property
    def key(self) -> Key:
        """The key of the evaluation's baseline."""
        evaluation, launcher = self.evaluation, self.evaluation.launcher
        device = launcher.device.partition(":")[0]
        precision = launcher.precision or "fp32"
        return Key(self.baseline_model, evaluation.dataset.name, evaluation.variant, device, precision)

    @property
    def criteria(self) -> Criteria:
        """What its metrics are judged by."""
        specs = self.evaluation.metrics
        references = {spec.name: spec.reference for spec in specs if spec.reference}
        return Criteria({spec.name: spec.gate for spec in specs}, references)


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

    def run(self, target: Target, given: Callable[[], Any]) -> Record:
        """Return the record of `target`; `given` gets the value of the dataset's fixture.

        Raises:
            MissingDataError, MissingDeviceError: what this machine lacks, unless it is required.
        """
        try:
            evaluation = target.evaluation
            value = given() if evaluation.dataset.fixture else None
            return self._judged(target, evaluate(evaluation, value, self._procedure(target)))
        except LauncherError as error:
            if isinstance(error, MissingDataError) and not self.require_data:
                raise
            if isinstance(error, MissingDeviceError) and not self.require_device:
                raise
            return self._error(target, error)

    def _judged(self, target: Target, measurement: Measurement) -> Record:
        if target.baselines is None:
            raise BaselineError('a mapping has no baseline of its own; name one: torch_launcher(…, baseline="name")')
        store = Store(target.baselines)
        assessment = assess(
            measurement, target.criteria, store, target.key, self.mode, self.reason, moves_anchor=self.moves_anchor
        )
        record = _record(target, measurement, assessment, moves_anchor=self.moves_anchor)
        return replace(record, failed=_warned_as_error(target, assessment.verdict) or record.failed)

    def _procedure(self, target: Target) -> Procedure:
        """Return how `target` is run."""
        evaluation = target.evaluation
        gates = [spec.gate for spec in evaluation.metrics]
        return Procedure(
            limit=self.limit,
            reruns=self.reruns,
            selfcheck=self.selfcheck or evaluation.selfcheck,
            groups=tuple(dict.fromkeys(gate.slices.by for gate in gates if gate.slices)),
            watch=self._watch(target) if any(gate.early_fail for gate in gates) else None,
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
        detail = _user_traceback(error.__cause__) if isinstance(error.__cause__, BaseException) else ""
        return _base(target, status="error", failed=True, message=message, detail=detail, metrics=_unmeasured(target))

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


def _record(target: Target, measurement: Measurement, assessment: Assessment, *, moves_anchor: bool) -> Record:
    verdict = assessment.verdict
    packed = pack(assessment.outcomes) if assessment.outcomes else b""

    def entry(baseline: Baseline | None) -> StoredEntry | None:
        if baseline is None:
            return None
        return StoredEntry.of(str(target.baselines), baseline.to_json(), packed, moves_anchor=moves_anchor)

    return _base(
        target,
        status=verdict.status,
        failed=verdict.failed,
        message=verdict.message,
        detail=render(verdict),
        samples=measurement.data.count,
        metrics=_metrics(target, verdict),
        seconds={stage: float(value) for stage, value in asdict(measurement.seconds).items()},
        changed=tuple(verdict.changed),
        environment=asdict(measurement.environment),
        run=asdict(measurement.run),
        provenance=verdict.provenance,
        flips=tuple(asdict(flip) for flip in verdict.flips),
        slices=tuple({**asdict(result), "delta": result.delta} for result in verdict.slices),
        write=entry(assessment.write),
        candidate=entry(assessment.candidate),
    )


def _base(target: Target, **fields: Any) -> Record:
    evaluation = target.evaluation
    where = evaluation.dataset.where.own
    return Record(
        id=target.id,
        index=target.index,
        model=evaluation.model,
        dataset=evaluation.dataset.name,
        device=evaluation.launcher.device,
        file=str(where.file),
        line=where.line,
        baselines=str(target.baselines or ""),
        baseline_model=target.baseline_model,
        **fields,
    )


def _metrics(target: Target, verdict: Verdict) -> tuple[Mapping[str, Any], ...]:
    types = {spec.name: spec.metric.name for spec in target.evaluation.metrics}
    return tuple(
        {
            "name": c.name,
            "type": types.get(c.name, ""),
            "value": _number(c.value),
            "components": {name: _number(value) for name, value in c.components.items()},
            "higher_is_better": bool(c.higher_is_better),
            "baseline": _number(c.baseline),
            "delta": _number(c.delta),
            "allowed": _number(c.allowed),
            "verdict": c.verdict,
            "checks": [_check(check) for check in c.checks],
        }
        for c in verdict.comparisons
    )


def _check(check: Check) -> Mapping[str, Any]:
    numbers = ("baseline", "allowed", "lower", "upper", "p_value", "detectable")
    return {
        "against": check.against,
        "verdict": check.verdict,
        **{name: _number(getattr(check, name)) for name in numbers},
        "reason": check.line,
    }


def _unmeasured(target: Target) -> tuple[Mapping[str, Any], ...]:
    empty = dict.fromkeys(("value", "baseline", "delta", "allowed"))
    return tuple(
        {
            "name": s.name,
            "type": s.metric.name,
            "components": {},
            "higher_is_better": True,
            "verdict": "error",
            "checks": [],
            **empty,
        }
        for s in target.evaluation.metrics
    )


def _number(value: float | None) -> float | None:
    """Return a builtin number: numpy's own do not travel between xdist's processes."""
    return None if value is None else float(value)


def _user_traceback(cause: BaseException) -> str:
    """Return the frames of `cause` that are the user's, and its message.

    Where the user has none, the model being of an installed package, that package's are shown. A message of several
    lines is shown in any case.
    """
    foreign = tuple(
        _folder(name) for name in ("pytest_torchlauncher", "_pytest", "pluggy", "torch") if name in sys.modules
    )
    frames = [f for f in traceback.extract_tb(cause.__traceback__) if not f.filename.startswith((*foreign, "<frozen"))]
    frames = [frame for frame in frames if _is_installed(frame.filename) or not _is_standard(frame.filename)]
    frames = [frame for frame in frames if not _is_installed(frame.filename)] or frames
    message = "".join(traceback.format_exception_only(cause)).rstrip()
    return "".join(traceback.format_list(frames)) + message if frames or "\n" in message else ""


def _folder(package: str) -> str:
    return f"{Path(str(sys.modules[package].__file__)).parent}{os.sep}"


def _is_installed(file: str) -> bool:
    """Return whether `file` belongs to an installed package."""
    return bool({"site-packages", "dist-packages"} & set(Path(file).parts))


def _is_standard(file: str) -> bool:
    return file.startswith(f"{sysconfig.get_path('stdlib')}{os.sep}")
