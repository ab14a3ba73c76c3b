"""One evaluation as pytest runs it, and the record that tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .baselines.baseline import Key
from .baselines.outcomes import pack
from .gating.assess import Assessment, Criteria, Stored
from .gating.table import render
from .gating.verdict import Check, Verdict
from .plan import Evaluation
from .record import Record, StoredEntry
from .types import Measurement

__all__ = ["Target", "measured", "unmeasured"]


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

    @property
    def is_published(self) -> bool:
        """Whether every metric has a published value, so that no baseline is needed."""
        return all(spec.reference is not None and spec.reference.values for spec in self.evaluation.metrics)


def measured(target: Target, measurement: Measurement, assessment: Assessment, *, moves_anchor: bool) -> Record:
    """Return the record of an evaluation that was measured and judged; an update may move the anchor along."""
    verdict = assessment.verdict

    def entry(stored: Stored | None) -> StoredEntry | None:
        if stored is None:
            return None
        baseline, outcomes = stored
        return StoredEntry.of(str(target.baselines), baseline.to_json(), pack(outcomes), moves_anchor=moves_anchor)

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


def unmeasured(target: Target, message: str, detail: str) -> Record:
    """Return the record of an evaluation that gave no measurement."""
    nothing = dict.fromkeys(("value", "baseline", "delta", "allowed"))
    common: dict[str, Any] = {"components": {}, "higher_is_better": True, "verdict": "error", "checks": [], **nothing}
    metrics = tuple({"name": s.name, "type": s.metric.name, **common} for s in target.evaluation.metrics)
    return _base(target, status="error", failed=True, message=message, detail=detail, metrics=metrics)


def _number(value: float | None) -> float | None:
    """Return a builtin number: numpy's own do not travel between xdist's processes."""
    return None if value is None else float(value)
