"""A metric against the values that its launcher file publishes, one-sided by its direction."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..errors import did_you_mean
from ..gate import Reference
from ..types import MetricValue
from .margins import other_weights
from .verdict import FAILED, Check
from .wording import compared, format_allowed, format_value

__all__ = ["against_references"]

_TOLERANCE = 1e-9


def against_references(name: str, metric: MetricValue, reference: Reference | None, n: int) -> Iterator[Check]:
    """Yield a check for each published value.

    The allowed drop is that of the thresholds, the stricter of both; without any, what other weights explain.

    Args:
        name: the metric's.
        metric: what was measured.
        reference: what is published, if anything.
        n: how many samples were measured.
    """
    if reference is None:
        return
    for component, published in reference.values.items():
        value = float(metric.value) if component == "mean" else metric.components.get(component)
        against = "reference" if component == "mean" else f"reference {component}"
        shown = name if component == "mean" else f"{name}@{component}"
        if problem := _problem(component, value, published, metric):
            yield Check(against, "error", f"{shown}: {problem}", True, published)
        elif value is not None:
            yield _judged(shown, against, value, published, metric, reference, n)


def _problem(component: str, value: float | None, published: float, metric: MetricValue) -> str | None:
    """Return why nothing can be compared; None if it can."""
    if value is None:
        known = ["mean", *metric.components]
        hint = did_you_mean(component, known) or f", only {', '.join(known)}"
        return f"reference: no component {component!r} found{hint}"
    if not math.isfinite(value):
        return (
            f"{format_value(value)} found, reference {format_value(published)}: not a finite number; check the outputs"
        )
    if metric.bounded and abs(published) > 1:
        return f"reference {published:g} found, a number from 0 to 1 expected; write {published / 100:g}, not per cent"
    return None


def _judged(
    shown: str, against: str, value: float, published: float, metric: MetricValue, reference: Reference, n: int
) -> Check:
    given = reference.allowed(published)
    allowed = other_weights(published, n, bounded=metric.bounded) if given is None else given
    gain = value - published if metric.higher_is_better else published - value
    verdict = "regressed" if gain < -allowed - _TOLERANCE else "pass"
    why = "no threshold, as for other weights" if given is None else "threshold"
    line = (
        f"{compared(shown, value, published, 'reference')} (allowed {format_allowed(allowed)}, {why}): "
        f"{verdict if verdict == 'pass' else 'worse than the reference'}"
    )
    scale = (1.0 if metric.bounded else abs(published)) or 1.0
    return Check(against, verdict, line, verdict in FAILED, published, allowed, loss=-gain / scale)
