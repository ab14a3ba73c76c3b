"""How much worse a metric may be: what the gate says, or what changed since the baseline."""

from __future__ import annotations

from dataclasses import dataclass

from ..baselines.baseline import MetricBaseline
from ..gate import Gate
from .changes import Changes
from .wording import format_allowed

__all__ = ["Allowance", "allowance", "other_weights", "points"]

_OTHER_WEIGHTS = 0.5
_POINTS = {"fp32": 0.2, "amp": 0.5, "bf16": 0.5, "fp16": 0.5, "amp_bf16": 0.5, "amp_fp16": 0.5, "int8": 1.0}
"""Margins in points: of a metric bounded by 0 and 1 a point is 0.01, of another 1 % of the baseline."""


@dataclass(frozen=True)
class Allowance:
    """How much worse a metric may be, and why.

    Args:
        drop: in units of the metric, at least 0.
        why: what decided: ``same weights, torch 2.13.0 → 2.14.1: 0.2 points allowed``.
        exact: whether no sample may be lost, since nothing differs that could explain it.
        refused: why the margin that was given cannot be used; empty as a rule.
    """

    drop: float
    why: str
    exact: bool = False
    refused: str = ""


def allowance(gate: Gate, stored: MetricBaseline, changes: Changes, key: str = "margin") -> Allowance:
    """Return how much worse than `stored` a metric may be: what `gate` says, else what the `changes` explain.

    It is never less than one sample where anything differs, nor than the noise that reruns showed. `key` is that of the
    gate which the margin stands under.
    """
    noise = stored.noise or 0.0
    given = gate.allowed(stored.value)
    if given is not None:
        refused = ""
        if given < noise:
            refused = (
                f"margin {format_allowed(given)} is below the calibrated noise {format_allowed(noise)}, so that "
                "a rerun alone could fail; give at least that"
            )
        return Allowance(given, f"{changes.provenance}, gate {key}: {points(given, stored)} allowed", refused=refused)
    if changes.none and not noise:
        return Allowance(0.0, f"{changes.provenance}: nothing may be lost", exact=True)
    drop = max(_by_provenance(stored, changes), noise)
    why = f"{changes.provenance}, calibrated noise" if drop == noise else changes.provenance
    return Allowance(drop, f"{why}: {points(drop, stored)} allowed")


def other_weights(value: float, n: int, *, bounded: bool) -> float:
    """Return the drop from `value` over `n` samples that other weights explain."""
    return max(_OTHER_WEIGHTS / 100, 1 / max(n, 1)) * (1.0 if bounded else abs(value))


def points(drop: float, stored: MetricBaseline) -> str:
    """Return `drop` in points; of a metric without bounds as a number and in per cent of the baseline."""
    if stored.bounded:
        number = f"{drop * 100:.3g}"
        return f"{number} point{'' if number == '1' else 's'}"
    share = f" ({drop / abs(stored.value):.2%})" if stored.value else ""
    return f"{format_allowed(drop)}{share}"


def _by_provenance(stored: MetricBaseline, changes: Changes) -> float:
    if changes.none:
        return 0.0
    if changes.model:
        return other_weights(stored.value, stored.n, bounded=stored.bounded)
    worst = max(_POINTS.get(precision, _POINTS["fp32"]) for precision in changes.precisions)
    return max(worst / 100, 1 / max(stored.n, 1)) * (1.0 if stored.bounded else abs(stored.value))
