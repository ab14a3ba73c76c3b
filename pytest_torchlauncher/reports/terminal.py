"""The summary section: one line a metric of every evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from ..record import Record

__all__ = ["write_summary"]

_CACHED = "cached: not run again, since nothing that they depend on changed; pytest --cache-clear forgets their results"
_MARKUP = {"improved": {"green": True, "bold": True}, "skipped": {"yellow": True}}
_NOTES = {
    "improved": "store the better values with pytest --launcher-update",
    "missing_baseline": "store the measured values with pytest --launcher-record",
    "stale_baseline": "if the change is meant, store the measured values with pytest --launcher-update",
}


def write_summary(
    terminal: pytest.TerminalReporter, records: Sequence[Record], problems: Sequence[str], notes: Sequence[str] = ()
) -> None:
    """Write the section with every evaluation, and what was done (`notes`) or went wrong at the end of the run."""
    terminal.section("launcher evaluations")
    rows = [(record, row) for record in records for row in _rows(record)]
    widths = [max((len(row[column]) for _, row in rows), default=0) for column in range(3)]
    for record, row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        markup = _MARKUP.get(record.status, {"red": True} if record.failed else {"green": True})
        terminal.write_line(f"{line}  {row[3]}".rstrip(), **markup)
    for note in (*_notes(records), *notes):
        terminal.write_line(note)
    for problem in problems:
        terminal.write_line(problem, red=True)


def _rows(record: Record) -> Iterator[tuple[str, str, str, str]]:
    """Yield status, evaluation, metric and values; one row without metrics where nothing was measured."""
    name = _name(record)
    measured = [metric for metric in record.metrics if metric["value"] is not None]
    if not measured:
        yield record.status, name, "", record.message
    for metric in measured:
        status = record.status if record.status in ("recorded", "updated") else metric["verdict"]
        status = "cached" if record.cached else status
        yield status, name, metric["name"], _values(metric)


def _name(record: Record) -> str:
    """Return model and dataset, and what tells the item from others of both: a tag or device."""
    own = f"{record.model}-{record.dataset}" if record.dataset else record.model
    item = record.id.rpartition("::")[2]
    return item if item.startswith(own) else own


def _values(metric: Mapping[str, Any]) -> str:
    from ..gating.wording import format_delta, format_value

    value, baseline = metric["value"], metric["baseline"]
    if baseline is None:
        return format_value(value)
    check: Mapping[str, Any] = next(iter(metric.get("checks", ())), {})
    against = check.get("against", "")
    stored = f"{against if against.startswith('reference') else 'baseline'} {format_value(baseline, value)}"
    shown = f"{format_value(value, baseline)}  {stored}  {format_delta(value, baseline)}"
    is_paired = check.get("lower") is not None and check["detectable"] is not None
    return f"{shown}  can prove {check['detectable']:.4f}" if is_paired else shown


def _notes(records: Sequence[Record]) -> Iterator[str]:
    for record in records:
        # A failure says it in its first line.
        if record.changed and record.provenance and not record.failed:
            # What was updated may have been stale, where provenance decides nothing.
            told = "; ".join(record.changed) if record.status == "updated" else record.provenance
            yield f"{_name(record)}: {told}"
    if any(record.cached for record in records):
        yield _CACHED
    statuses = {record.status for record in records}
    yield from (f"{status}: {note}" for status, note in _NOTES.items() if status in statuses)
