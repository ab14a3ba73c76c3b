"""The summary section: one line an evaluation, that of its worst metric."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from ..record import Record

__all__ = ["write_summary"]

_CACHED = "cached: not run again, since nothing that they depend on changed; pytest --cache-clear forgets their results"
_GREEN, _YELLOW, _RED = ({color: True} for color in ("green", "yellow", "red"))
_MARKUP = {
    **dict.fromkeys(("pass", "cached", "recorded", "updated"), _GREEN),
    "improved": {"green": True, "bold": True},
    "skipped": _YELLOW,
    "inconclusive": _YELLOW,
}
_NOTES = {
    "improved": "store the better values with pytest --launcher-update",
    "missing_baseline": "store the measured values with pytest --launcher-record",
    "stale_baseline": "if the change is meant, store the measured values with pytest --launcher-update",
}
_HEADER = ("verdict", "evaluation", "metric", "baseline", "measured", "delta")
_NARROWEST = (0, 16, 8, 0, 0, 0)
"""Letters that are left of names that do not fit; verdicts and numbers are never shortened."""


@dataclass(frozen=True)
class _Line:
    """What is said of an evaluation: the cells of a table, or a text where nothing was measured."""

    cells: tuple[str, ...]
    end: str = ""


def write_summary(
    terminal: pytest.TerminalReporter, records: Sequence[Record], problems: Sequence[str], notes: Sequence[str] = ()
) -> None:
    """Write the section: every evaluation that is no plain pass, with ``-v`` all, with ``-vv`` all of their metrics.

    Args:
        terminal: pytest's.
        records: of the evaluations.
        problems: what went wrong at the end of the run.
        notes: what was done there.
    """
    verbosity = terminal.config.getoption("verbose")
    terminal.ensure_newline()
    terminal.section("launcher evaluations")
    shown = [record for record in records if verbosity > 0 or not _is_plain(record)]
    _write_table(terminal, [line for record in shown for line in _lines(record, verbosity)])
    for note in (*_passed(records, len(records) - len(shown)), *_notes(records), *notes):
        terminal.write_line(note)
    for problem in problems:
        terminal.write_line(problem, red=True)


def _is_plain(record: Record) -> bool:
    return record.status == "pass" and not record.failed


def _write_table(terminal: pytest.TerminalReporter, lines: Sequence[_Line]) -> None:
    """Write `lines` in columns that fit the terminal; a log of CI has room for everything."""
    on_ci = any(os.environ.get(name) for name in ("CI", "BUILD_NUMBER"))
    full = 10**6 if on_ci else terminal.config.get_terminal_writer().fullwidth - 1
    tabular = [line for line in lines if len(line.cells) == len(_HEADER)]
    header = [_HEADER] if tabular else []
    end = max((len(line.end) + 2 for line in tabular if line.end), default=0)
    widths = _widths([*header, *(line.cells for line in lines)], full - end)
    for title in header:
        terminal.write_line(_row(title, widths), bold=True)
    for line in lines:
        verdict, rest = line.cells[0], _row(line.cells, widths)[widths[0] :]
        terminal.write(verdict.ljust(widths[0]), **_MARKUP.get(verdict, _RED))
        room = full - widths[0] - len(rest)
        terminal.write_line(f"{rest}{_cut(f'  {line.end}', room)}".rstrip())


def _widths(rows: Sequence[Sequence[str]], full: int) -> list[int]:
    """Return the widths of the columns, those of names narrowed as far as `full` wants it."""
    columns = range(len(_HEADER))
    widths = [max((len(row[column]) for row in rows if column < len(row)), default=0) for column in columns]
    for column in sorted(columns, key=lambda column: -widths[column]):
        excess = sum(widths) + 2 * (len(widths) - 1) - full
        if excess > 0 and _NARROWEST[column]:
            widths[column] = max(widths[column] - excess, min(_NARROWEST[column], widths[column]))
    return widths


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = [
        cell.rjust(width) if number > 2 else _shortened(cell, width).ljust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=False))
    ]
    return "  ".join(aligned)


def _shortened(text: str, width: int) -> str:
    """Return `text` without its middle where it does not fit: what tells names apart stands at either end."""
    if len(text) <= width:
        return text
    start = (width - 1) // 2
    return f"{text[:start]}…{text[len(text) - (width - 1 - start) :]}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…" if width > 4 else ""


def _lines(record: Record, verbosity: int) -> Iterator[_Line]:
    """Yield the line of the worst metric, or those of all; what gave no value says why."""
    if not record.measured:
        first = record.message.partition("\n")[0]
        yield _Line((_verdict(record, None), record.title), first)
        return
    if verbosity > 1:
        in_order = [metric for metric in record.metrics if metric["value"] is not None]
        yield from (_Line(_cells(record, metric), _end(metric, verbosity)) for metric in in_order)
        return
    worst, *others = record.measured
    ends = [_end(worst, verbosity), _others(record, others)]
    yield _Line(_cells(record, worst), ", ".join(filter(None, ends)))


def _cells(record: Record, metric: Mapping[str, Any]) -> tuple[str, ...]:
    from ..gating.wording import format_delta, format_value

    value, baseline = metric["value"], metric["baseline"]
    if baseline is None:
        numbers = ("", format_value(value), "")
    else:
        numbers = (format_value(baseline, value), format_value(value, baseline), format_delta(value, baseline))
    return (_verdict(record, metric), record.title, metric["name"], *numbers)


def _verdict(record: Record, metric: Mapping[str, Any] | None) -> str:
    if record.cached:
        return "cached"
    if metric is None or record.status in ("recorded", "updated", "error"):
        return record.status
    return str(metric["verdict"])


def _end(metric: Mapping[str, Any], verbosity: int) -> str:
    """Return what else is known: what the value was compared with, and what its samples can prove."""
    check: Mapping[str, Any] = next(iter(metric.get("checks", ())), {})
    against = check.get("against", "")
    told = [against] if against.startswith("reference") else []
    if verbosity > 0 and check.get("lower") is not None and check["detectable"] is not None:
        told.append(f"can prove {check['detectable']:.4f}")
    return ", ".join(told)


def _others(record: Record, others: Sequence[Mapping[str, Any]]) -> str:
    """Return how many other metrics there are by their verdicts, those that passed like the first left out."""
    counts = Counter(_verdict(record, metric) for metric in others)
    counts.pop("pass", None)
    if record.cached or record.status in ("recorded", "updated"):
        return f"+{len(others)}" if others else ""
    return ", ".join(f"+{count} {verdict}" for verdict, count in counts.items())


def _passed(records: Sequence[Record], hidden: int) -> Iterator[str]:
    if hidden:
        cached = sum(_is_plain(record) and record.cached for record in records)
        told = f", {cached} of them cached" if cached else ""
        yield f"{hidden} passed{told}; -v lists {'it' if hidden == 1 else 'them'}"


def _notes(records: Sequence[Record]) -> Iterator[str]:
    for record in records:
        # A failure says it in its first line.
        if record.changed and record.provenance and not record.failed:
            # What was updated may have been stale, where provenance decides nothing.
            told = "; ".join(record.changed) if record.status == "updated" else record.provenance
            yield f"{record.title}: {told}"
    if any(record.cached for record in records):
        yield _CACHED
    statuses = {record.status for record in records}
    yield from (f"{status}: {note}" for status, note in _NOTES.items() if status in statuses)
