"""The controller's end of a run: it alone gathers records, writes baselines and the JSON, and prints the summary."""

from __future__ import annotations

from collections.abc import Iterable
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
        records = self._ordered()
        try:
            _write_baselines(records)
        except (BaselineError, OSError) as error:
            self._fail(session, f"baselines were not written: {error}")
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

    def _fail(self, session: pytest.Session, problem: str) -> None:
        self._problems.append(problem)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _write_baselines(records: Iterable[Record]) -> None:
    """Store what was recorded or updated, file by file."""
    files: dict[str, list[Record]] = {}
    for record in records:
        if record.write:
            files.setdefault(record.write.path, []).append(record)
    if not files:
        return
    from ..baselines.baseline import Baseline
    from ..baselines.store import Store

    for path, changed in files.items():
        entries = [(Baseline.from_json(r.write.entry), r.write.outcome_bytes) for r in changed if r.write]
        Store(Path(path)).write(entries)
