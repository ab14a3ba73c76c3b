"""What follows the first line of a failure: the table, what changed, and the samples that were lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .verdict import Check, Comparison, Verdict
from .wording import format_allowed, format_delta, format_value

__all__ = ["render"]

_HEADER = ("metric", "baseline", "measured", "delta", "allowed", "verdict")
_JUSTIFY: tuple[Callable[[str, int], str], ...] = (str.ljust, str.rjust, str.rjust, str.rjust, str.rjust, str.ljust)
_WITHOUT_VALUE = ("flips", "slices")
_FLIPS = 10


def render(verdict: Verdict) -> str:
    """Return the comparisons of `verdict` as an aligned table under a header, and what explains them."""
    return "\n\n".join([_table(verdict), *_notes(verdict)])


def _table(verdict: Verdict) -> str:
    rows = [_HEADER, *(row for comparison in verdict.comparisons for row in _rows(comparison))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(justify(cell, width) for justify, cell, width in zip(_JUSTIFY, row, widths, strict=True)).rstrip()
        for row in rows
    )


def _rows(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """Yield a row for each check with values or a fault, the metric's own first, and for each component to be shown."""
    first, *others = comparison.checks
    yield _row(comparison.name, comparison.value, first)
    for check in others:
        value = comparison.components.get(check.against.removeprefix("reference "), comparison.value)
        if check.against not in _WITHOUT_VALUE:
            yield _row(f"{comparison.name}, {check.against}", value, check)
        elif check.failed:
            yield (f"{comparison.name}, {check.against}", "-", "-", "-", "-", check.verdict)
    if comparison.shows_components:
        for name, value in comparison.components.items():
            yield (f"{comparison.name}@{name}", "-", format_value(value), "-", "-", "")


def _row(name: str, value: float | None, check: Check) -> tuple[str, ...]:
    baseline, allowed = check.baseline, check.allowed
    known = [number for number in (value, baseline) if number is not None]
    return (
        name,
        "-" if baseline is None else format_value(baseline, *known),
        "-" if value is None else format_value(value, *known),
        "-" if value is None or baseline is None else format_delta(value, baseline),
        "-" if allowed is None else format_allowed(allowed),
        check.verdict,
    )


def _notes(verdict: Verdict) -> Iterator[str]:
    """Yield paragraphs: what changed, what the data can prove, the samples lost, the slices that fell."""
    if verdict.changed:
        yield "changed since the baseline: " + "; ".join(verdict.changed)
    provable = [
        f"{comparison.name} {check.detectable:.4f}"
        for comparison in verdict.comparisons
        for check in comparison.checks[:1]
        if check.detectable
    ]
    if provable:
        yield "smallest drop that these samples can prove: " + ", ".join(provable)
    checks = [check for comparison in verdict.comparisons for check in comparison.checks]
    broken = [check.line for check in checks if check.failed and check.against in _WITHOUT_VALUE]
    if told := [line for line in broken if not verdict.message.startswith(line)]:
        yield "\n".join(told)
    yield from _lost(verdict)
    fallen = [result for result in verdict.slices if result.verdict == "regressed"]
    if fallen:
        lines = [
            f"  {r.metric}, {r.name}: {format_value(r.baseline, r.value)} → {format_value(r.value, r.baseline)} "
            f"({r.n} samples, p {r.p_value:.2g})"
            for r in fallen
        ]
        yield "\n".join(["slices that regressed:", *lines])


def _lost(verdict: Verdict) -> Iterator[str]:
    """Yield the first ten lost samples of the metric that was judged worst."""
    metrics = {flip.metric for flip in verdict.flips}
    judged = sorted(verdict.comparisons, key=lambda comparison: comparison.worst.rank)
    worst = next((comparison.name for comparison in judged if comparison.name in metrics), None)
    flips = [flip for flip in verdict.flips if flip.metric == worst]
    if flips:
        more = [f"  … and {len(flips) - _FLIPS} more, all of them in the JSON"] if len(flips) > _FLIPS else []
        yield "\n".join([f"{worst}: right before, wrong now:", *(f"  {flip}" for flip in flips[:_FLIPS]), *more])
