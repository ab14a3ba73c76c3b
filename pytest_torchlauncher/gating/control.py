"""The negative control of a self-check: with permuted annotations the gate must fail."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ..gate import Gate
from ..types import Control, Measurement
from .margins import other_weights
from .wording import format_allowed, format_value

__all__ = ["selfcheck_findings"]


def selfcheck_findings(measurement: Measurement, gates: Mapping[str, Gate]) -> tuple[str, ...]:
    """Return what the self-check of `measurement` found wrong, its negative control included."""
    blind = list(_blind(measurement.control, gates)) if measurement.control else []
    # One metric that sees the difference is enough for the gate to fail.
    seen = measurement.control is None or len(blind) < len(measurement.control.own)
    return measurement.findings if seen else (*measurement.findings, blind[0])


def _blind(control: Control, gates: Mapping[str, Gate]) -> Iterator[str]:
    """Yield a sentence for each metric that passes with the annotations of other samples."""
    for name, own in control.own.items():
        value, wrong = float(own.value), float(control.permuted[name].value)
        gain = wrong - value if own.higher_is_better else value - wrong
        given = gates.get(name, Gate()).allowed(value)
        allowed = other_weights(value, control.count, bounded=own.bounded) if given is None else given
        if not math.isfinite(gain) or gain >= -allowed:
            yield (
                f"negative control: over {control.count} samples {name} is {format_value(value, wrong)}, and with "
                f"permuted annotations {format_value(wrong, value)}, which passes too (allowed "
                f"{format_allowed(allowed)}); give data, metrics or a margin that tell right from wrong"
            )
