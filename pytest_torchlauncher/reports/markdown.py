"""Evaluations as Markdown: what failed first, the rest folded away, and never more than there is room for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from ..record import Record

__all__ = ["escaped", "render"]

_HEADER = "| status | evaluation | metric | baseline | measured | delta |\n|---|---|---|--:|--:|--:|"
_SPECIAL = re.compile(r"[!\"#$&*:<>@\[\\\]^_`{|}~]")
_GOOD = ("pass", "recorded", "updated", "cached")
_TELLING = ("skipped", "inconclusive")
_CUT = "The rest is left out: GitHub shows no more than 1 MiB a step. The JSON of `--launcher-json` has all of it."
_RESERVED = 1000
"""Bytes that stay free for what ends a page, wherever it is cut."""


@dataclass
class _Room:
    """Counts down the bytes that may still be written; what once does not fit ends the page."""

    left: int
    is_full: bool = False

    def takes(self, text: str) -> bool:
        """Return whether `text` may be written."""
        self.left -= len(text.encode(errors="backslashreplace")) + 2
        self.is_full = self.is_full or self.left < 0
        return not self.is_full


def escaped(text: str) -> str:
    """Return `text` on one line, with nothing in it that Markdown or HTML could take for markup."""
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", " ".join(text.split()))


def render(records: Sequence[Record], problems: Sequence[str], limit: int) -> str:
    """Return a section about `records` and `problems`; empty where there is no room.

    Args:
        records: all of the run.
        problems: what went wrong at its end.
        limit: how many bytes the section may have.
    """
    room = _Room(limit - _RESERVED)
    failed = [record for record in records if record.failed]
    others = [record for record in records if not record.failed]
    parts = list(takewhile(room.takes, _heading(len(failed), records, problems)))
    if not parts:
        return ""
    parts += _table(failed, room)
    parts += takewhile(room.takes, map(_failure, failed))
    if others and not room.is_full:
        parts += [f"<details><summary>{len(others)} not failed</summary>"]
        parts += _table(others, room)
        parts += takewhile(room.takes, (_said(record) for record in others if record.status in _TELLING))
        parts += ["</details>"]
    return "\n\n".join([*parts, *([_CUT] if room.is_full else [])]) + "\n"


def _heading(failed: int, records: Sequence[Record], problems: Sequence[str]) -> Iterator[str]:
    yield f"## Launcher evaluations: {failed or 'none'} of {len(records)} failed"
    counts = Counter("cached" if record.cached else record.status for record in records)
    yield escaped(", ".join(f"{count} {status}" for status, count in counts.items()))
    yield from map(escaped, problems)


def _table(records: Sequence[Record], room: _Room) -> list[str]:
    """Return the table of `records`, as many whole rows of it as there is room for."""
    rows = list(takewhile(room.takes, (row for record in records for row in _rows(record))))
    return ["\n".join([_HEADER, *rows])] if rows else []


def _rows(record: Record) -> Iterator[str]:
    """Yield a row a metric; one without a metric where nothing was measured."""
    measured = [metric for metric in record.metrics if metric["value"] is not None]
    for status, *cells in (_measured(record, metric) for metric in measured):
        yield _row(record, status, *cells)
    if not measured:
        yield _row(record, record.status, "", "", "", "")


def _row(record: Record, status: str, *cells: str) -> str:
    marked = f"{_symbol(status, failed=record.failed)} {status}"
    return f"| {' | '.join(map(escaped, (marked, record.title, *cells)))} |"


def _measured(record: Record, metric: Mapping[str, Any]) -> tuple[str, ...]:
    """Return status, name, baseline, value and delta of a metric."""
    from ..gating.wording import format_delta, format_value

    status = record.status if record.status in ("recorded", "updated") else metric["verdict"]
    status, value, baseline = "cached" if record.cached else status, metric["value"], metric["baseline"]
    if baseline is None:
        return status, metric["name"], "", format_value(value), ""
    delta = format_delta(value, baseline)
    return status, metric["name"], format_value(baseline, value), format_value(value, baseline), delta


def _symbol(status: str, *, failed: bool) -> str:
    if status in _GOOD or (status == "improved" and not failed):
        return "✅"
    return "❌" if failed else "⚠️"


def _failure(record: Record) -> str:
    """Return the first line of a failure, and what follows it folded away."""
    first, _, rest = record.text.partition("\n")
    if not rest.strip():
        return _said(record)
    return (
        f"<details><summary><b>{escaped(record.title)}</b>: {escaped(first)}</summary>\n\n{_fenced(rest)}\n\n</details>"
    )


def _said(record: Record) -> str:
    return f"**{escaped(record.title)}**: {escaped(record.message)}"


def _fenced(text: str) -> str:
    """Return `text` as it stands, in a fence that is longer than any in it."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`{2,}", text)), default=2))
    return f"{fence}text\n{text.strip(chr(10))}\n{fence}"
