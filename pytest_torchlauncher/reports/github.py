"""What GitHub Actions reads: the summary of a step, and annotations of the files of a pull request."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..record import Record

__all__ = ["annotation_lines", "append_step_summary"]

_SUMMARY = "GITHUB_STEP_SUMMARY"
_SHOWN = 10
"""GitHub shows so many errors of a step, and as many warnings."""
_LIMIT = 2**20
"""Bytes of a step's summary, beyond which GitHub shows none of it."""


def append_step_summary(records: Sequence[Record], problems: Sequence[str]) -> list[str]:
    """Append what is to be told to the file that ``GITHUB_STEP_SUMMARY`` names, if it does.

    Returns:
        The reason, where it was not written.
    """
    if not records or not (path := os.environ.get(_SUMMARY)):
        return []
    from .markdown import render

    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            text = render(records, problems, _LIMIT - file.tell())
            # What another program wrote there may lack the end of its last line.
            file.write(f"\n\n{text}" if text else "")
    except OSError as error:
        return [f"{_SUMMARY} was not written: {error}"]
    return [] if text else [f"{_SUMMARY} was not written: {path} is as large as GitHub allows, 1 MiB"]


def annotation_lines(records: Sequence[Record], root: Path) -> list[str]:
    """Return a line for each failed and each inconclusive evaluation where ``GITHUB_ACTIONS`` is ``true``.

    Args:
        records: all of the run.
        root: pytest's, to which files are relative where ``GITHUB_WORKSPACE`` is not set.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    root = Path(os.environ.get("GITHUB_WORKSPACE") or root)
    failed = [record for record in records if record.failed]
    unclear = [record for record in records if not record.failed and record.status == "inconclusive"]
    return [*_lines("error", failed, root), *_lines("warning", unclear, root)]


def _lines(kind: str, records: Sequence[Record], root: Path) -> list[str]:
    """Return the workflow commands, the last of which tells how many more there are than GitHub shows."""
    shown = records if len(records) <= _SHOWN else records[: _SHOWN - 1]
    lines = [_line(kind, record, root) for record in shown]
    if more := len(records) - len(shown):
        lines.append(f"::{kind} title=launcher evaluations::{more} more are listed in the output of pytest")
    return lines


def _line(kind: str, record: Record, root: Path) -> str:
    first = record.message.partition("\n")[0]
    where = f"file={_property(_relative(record.file, root))},line={record.line}"
    return f"::{kind} {where},title={_property(record.title)}::{_message(first)}"


def _relative(file: str, root: Path) -> str:
    """Return `file` as GitHub names it; as it stands, where it is not in the repository."""
    path = Path(file).resolve()
    root = root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
