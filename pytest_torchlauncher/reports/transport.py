"""Records ride on test reports, which xdist takes from its workers to the controller even when one crashes later."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ..record import RECORDS, Record
from .junit import properties

__all__ = ["attach", "attached", "is_cached"]

_ATTRIBUTE = "torchlauncher_records"
_OURS = re.compile(r"^pytest_torchlauncher\.[\w.]+: ")
_TOLD = pytest.StashKey[int]()
"""On an item: how many of its records the report of its call has."""
_PROPERTIES = pytest.StashKey[Sequence[tuple[str, str]]]()
"""On an item: what JUnit XML, which looks at the report that ends the item, is to list of its records."""


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put the records of `item` on `report`: of its call, of its setup where it went no further.

    On that of the teardown they stand again where a fixture added some.
    """
    if report.when == "setup":
        item.stash[_PROPERTIES] = ()
    _word(item, report)
    if records := _carried(item, report):
        setattr(report, _ATTRIBUTE, [record.to_dict() for record in records])
        item.stash[_PROPERTIES] = properties(records)
    told: Sequence[tuple[str, str]] = item.stash.get(_PROPERTIES, ())
    report.user_properties.extend(told)


def _word(item: pytest.Item, report: pytest.TestReport) -> None:
    """Let the report of an evaluation say what is about it, and nothing about this package."""
    if crash := getattr(report.longrepr, "reprcrash", None):
        # The short summary has room for the reason alone.
        crash.message = _OURS.sub("", crash.message)
    if hasattr(item, "unrun") and report.when == "call" and isinstance(report.longrepr, tuple):
        # A skip inside an evaluation is about the launcher file, not about the line of this package that says so.
        file, line, _ = item.reportinfo()
        report.longrepr = (str(file), (line or 0) + 1, report.longrepr[2])


def _carried(item: pytest.Item, report: pytest.TestReport) -> list[Record]:
    """Return the records that go with `report`."""
    records, told = item.stash.get(RECORDS, []), item.stash.get(_TOLD, 0)
    if (report.when == "teardown" and len(records) == told) or (report.when == "setup" and report.passed):
        return []
    item.stash[_TOLD] = len(records)
    unrun: Callable[[str, str], Record] | None = getattr(item, "unrun", None)
    if not records and unrun:
        return [unrun("skipped" if report.skipped else "error", _reason(report))]
    return records


def attached(report: pytest.TestReport) -> list[Record]:
    """Return the records on `report`."""
    fields: list[dict[str, Any]] = getattr(report, _ATTRIBUTE, [])
    return [Record.from_dict(record) for record in fields]


def is_cached(report: pytest.TestReport) -> bool:
    """Return whether `report` is of the call of an evaluation that was not run, since nothing changed."""
    records: list[dict[str, Any]] = getattr(report, _ATTRIBUTE, [])
    passed = report.when == "call" and report.passed and not hasattr(report, "wasxfail")
    return passed and bool(records) and all(record["cached"] for record in records)


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text: str = crash.message if crash else report.longreprtext
    return text.partition("\n")[0]
