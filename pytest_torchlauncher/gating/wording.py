"""How numbers are written in messages and tables."""

from __future__ import annotations

__all__ = ["and_more", "compared", "format_allowed", "format_delta", "format_value"]


def format_value(value: float, *others: float) -> str:
    """Return `value` with four decimals, or as many as tell it from `others` and from zero."""
    decimals = _decimals(value, *others)
    return f"{value:.6g}" if decimals is None else f"{value:.{decimals}f}"


def format_delta(value: float, baseline: float) -> str:
    """Return value - baseline with its sign and the decimals of both."""
    decimals = _decimals(value, baseline)
    delta = value - baseline
    return f"{delta:+.3g}" if decimals is None else f"{delta:+.{decimals}f}"


def format_allowed(allowed: float) -> str:
    """Return an allowed drop; 0 where none is."""
    return format_value(allowed) if allowed else "0"


def compared(name: str, value: float, baseline: float, against: str = "baseline") -> str:
    """Return how every message starts: ``top1 0.9472, baseline 0.9944, delta -0.0472``."""
    shown, stored = format_value(value, baseline), format_value(baseline, value)
    return f"{name} {shown}, {against} {stored}, delta {format_delta(value, baseline)}"


def and_more(count: int) -> str:
    """Return ``" (and 2 more metrics)"``; empty for none."""
    return f" (and {count} more metric{'s' if count > 1 else ''})" if count else ""


def _decimals(*values: float) -> int | None:
    """Return the fewest decimals from four on that keep different values different; None where none do."""
    different = {*values, 0.0}
    return next((d for d in range(4, 10) if len({round(v, d) for v in different}) == len(different)), None)
