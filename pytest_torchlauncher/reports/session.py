"""The controller's end of a run: it alone gathers records, writes baselines and the JSON, and prints the summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from .. import given_options
from ..errors import BaselineError
from ..record import Record
from .transport import attached

__all__ = ["SessionReports"]


class SessionReports:
    """A plugin of the controller, or of the only process."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._records: dict[str, list[Record]] = {}
        self._problems: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the records of an item; those of a rerun replace the earlier ones."""
        if records := attached(report):
            self._records[report.nodeid] = records

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what this run is to leave behind."""
        if session.config.option.collectonly:
            return
        for problem, unwritten in _write_baselines(self._ordered()):
            self._fail(session, problem)
            self._mark_unwritten(unwritten, problem)
        records = self._ordered()
        path = given_options.path(self._config, "launcher_json")
        if path is None:
            return
        from .json_report import write_json

        try:
            write_json(path, records)
        except OSError as error:
            self._fail(session, f"--launcher-json was not written: {error}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List every evaluation; silent where there was none."""
        records = self._ordered()
        if not records and not self._problems:
            return
        from .terminal import write_summary

        write_summary(terminalreporter, records, self._problems)

    def _ordered(self) -> list[Record]:
        return sorted((r for records in self._records.values() for r in records), key=lambda record: record.index)

    def _mark_unwritten(self, unwritten: list[Record], problem: str) -> None:
        """Turn records that promised a baseline into errors, so that no report says ``recorded``."""
        for node, records in self._records.items():
            self._records[node] = [
                replace(record, status="error", failed=True, message=problem) if record in unwritten else record
                for record in records
            ]

    def _fail(self, session: pytest.Session, problem: str) -> None:
        self._problems.append(problem)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _write_baselines(records: Iterable[Record]) -> Iterator[tuple[str, list[Record]]]:
    """Store what was recorded or updated, file by file; yield each problem with the records that it kept back."""
    files: dict[str, list[Record]] = {}
    for record in records:
        if record.write:
            files.setdefault(record.write.path, []).append(record)
    for path, changed in files.items():
        fit, clashing = _told_apart(changed)
        for clash in clashing:
            ids = " and ".join(record.id for record in clash)
            yield f"{ids} measured different baselines under one key; give one of them a baseline of its own", clash
        try:
            _write(Path(path), fit)
        except (BaselineError, OSError) as error:
            yield f"baselines were not written: {error}", fit


def _told_apart(records: Iterable[Record]) -> tuple[list[Record], list[list[Record]]]:
    """Return one record for each key, and the groups of records that differ under one key."""
    keys: dict[str, list[Record]] = {}
    for record in records:
        if record.write:
            keys.setdefault(json.dumps(record.write.entry["key"]), []).append(record)
    groups = {key: len({_substance(record) for record in group}) == 1 for key, group in keys.items()}
    return [keys[key][0] for key, same in groups.items() if same], [keys[k] for k, same in groups.items() if not same]


def _substance(record: Record) -> str:
    entry = record.write.entry if record.write else {}
    return json.dumps([entry[part] for part in ("metrics", "outcomes", "data", "model")])


def _write(path: Path, records: Iterable[Record]) -> None:
    from ..baselines.baseline import Baseline
    from ..baselines.store import Store

    entries = [(Baseline.from_json(r.write.entry), r.write.outcome_bytes) for r in records if r.write]
    if entries:
        Store(path).write(entries)
