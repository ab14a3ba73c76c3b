"""The table of a verdict."""

from __future__ import annotations

from collections.abc import Callable

from .verdict import Comparison, Verdict, format_allowed, format_delta, format_value

__all__ = ["render"]

_HEADER = ("metric", "baseline", "measured", "delta", "allowed", "verdict")
_JUSTIFY: tuple[Callable[[str, int], str], ...] = (str.ljust, str.rjust, str.rjust, str.rjust, str.rjust, str.ljust)


def render(verdict: Verdict) -> str:
    """Return the comparisons of `verdict` as an aligned table under a header, one metric a line."""
    rows = [_HEADER, *map(_row, verdict.comparisons)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(justify(cell, width) for justify, cell, width in zip(_JUSTIFY, row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(comparison: Comparison) -> tuple[str, ...]:
    value, baseline, allowed = comparison.value, comparison.baseline, comparison.allowed
    known = [number for number in (value, baseline) if number is not None]
    return (
        comparison.name,
        "-" if baseline is None else format_value(baseline, *known),
        "-" if value is None else format_value(value, *known),
        "-" if value is None or baseline is None else format_delta(value, baseline),
        "-" if allowed is None else format_allowed(allowed),
        comparison.verdict,
    )
