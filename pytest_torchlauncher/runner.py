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

from .baselines.assess import Assessment, Mode, assess
from .baselines.baseline import Key
from .baselines.outcomes import pack
from .baselines.store import Store
from .baselines.table import render
from .baselines.verdict import Verdict, format_value
from .config.loader import Settings
from .errors import BaselineError, LauncherError, MissingDataError, MissingDeviceError, NonFiniteError
from .evaluation.evaluate import evaluate
from .plan import Evaluation
from .record import Record, StoredEntry
from .types import Measurement

__all__ = ["AccuracyImprovedWarning", "Runner", "Target"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True


class AccuracyImprovedWarning(UserWarning):
    """A metric is better than its baseline, and its gate asks for a warning."""


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


@dataclass(frozen=True)
class Runner:
    """What options say about running evaluations."""

    settings: Settings
    mode: Mode = "check"
    reason: str | None = None
    require_data: bool = False
    require_device: bool = False

    def run(self, target: Target, given: Callable[[], Any]) -> Record:
        """Return the record of `target`; `given` gets the value of the dataset's fixture.

        Raises:
            MissingDataError, MissingDeviceError: what this machine lacks, unless it is required.
        """
        try:
            evaluation = target.evaluation
            measurement = evaluate(evaluation, given() if evaluation.dataset.fixture else None)
            return self._judged(target, measurement)
        except LauncherError as error:
            if isinstance(error, MissingDataError) and not self.require_data:
                raise
            if isinstance(error, MissingDeviceError) and not self.require_device:
                raise
            return self._error(target, error)

    def _judged(self, target: Target, measurement: Measurement) -> Record:
        if target.baselines is None:
            raise BaselineError('a mapping has no baseline of its own; name one: torch_launcher(…, baseline="name")')
        gates = {spec.name: spec.gate for spec in target.evaluation.metrics}
        assessment = assess(measurement, gates, Store(target.baselines), target.key, self.mode, self.reason)
        record = _record(target, measurement, assessment)
        return replace(record, failed=record.failed or _improvement_is_error(target, assessment.verdict))

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


def _improvement_is_error(target: Target, verdict: Verdict) -> bool:
    """Warn of an improvement where the gate asks for it; return whether the project makes that warning an error."""
    better = {comparison.name for comparison in verdict.comparisons if comparison.verdict == "improved"}
    if not any(spec.gate.on_improve == "warn" and spec.name in better for spec in target.evaluation.metrics):
        return False
    where = target.evaluation.dataset.where.own
    try:
        warnings.warn_explicit(verdict.message, AccuracyImprovedWarning, str(where.file), where.line)
    except AccuracyImprovedWarning:
        return True
    return False


def _record(target: Target, measurement: Measurement, assessment: Assessment) -> Record:
    verdict = assessment.verdict
    write = assessment.write
    packed = pack(assessment.outcomes) if assessment.outcomes else b""
    stored = StoredEntry.of(str(target.baselines), write.to_json(), packed) if write else None
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
        write=stored,
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
        }
        for c in verdict.comparisons
    )


def _unmeasured(target: Target) -> tuple[Mapping[str, Any], ...]:
    empty = dict.fromkeys(("value", "baseline", "delta", "allowed"))
    return tuple(
        {"name": s.name, "type": s.metric.name, "components": {}, "higher_is_better": True, "verdict": "error", **empty}
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
