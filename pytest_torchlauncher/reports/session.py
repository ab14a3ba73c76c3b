"""The controller's end of a run: it alone gathers records, writes baselines and the JSON, and prints the summary."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from .. import given_options
from ..record import Record
from .candidates import leave_candidates
from .github import annotation_lines, append_step_summary
from .history import append_to_history, trends_of
from .prune import prune
from .review import check_terminal, review
from .transport import attached
from .writing import write_baselines

__all__ = ["SessionReports"]

_ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class SessionReports:
    """A plugin of the controller, or of the only process.

    Raises:
        pytest.UsageError: ``--launcher-review`` without a terminal.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._started = datetime.now(UTC)
        self._by_item: dict[str, list[Record]] = {}
        self._failed: set[str] = set()
        self._excused: set[str] = set()
        self._records: list[Record] = []
        self._notes: list[str] = []
        self._problems: list[str] = []
        if config.getoption("launcher_review"):
            check_terminal(config)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the records of an item; those of a rerun replace the earlier ones."""
        if records := attached(report):
            self._by_item[report.nodeid] = records
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what this run is to leave behind."""
        config = self._config
        if config.option.collectonly:
            return
        records = sorted((r for records in self._by_item.values() for r in records), key=lambda record: record.index)
        # Their tests expect the failure, or caught it.
        self._excused = {record.id for record in records if record.failed} - self._failed
        if config.getoption("launcher_review") and session.exitstatus in _ENDED:
            records = review(config, records)
        self._records, problems = write_baselines(records)
        for problem in problems:
            self._fail(session, problem)
        self._notes += leave_candidates(config, self._records)
        if config.getoption("launcher_prune"):
            self._notes += prune(session, self._records)
        self._notes += append_to_history(config, self._records, self._started)
        self._write(session)
        self._notes += append_step_summary(self._not_excused(), self._problems)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List every evaluation; silent where there was none."""
        if not self._records and not self._problems and not self._notes:
            return
        from .terminal import write_summary

        write_summary(terminalreporter, self._records, self._problems, self._notes)
        for line in annotation_lines(self._not_excused(), self._config.rootpath):
            terminalreporter.write_line(line)

    def _not_excused(self) -> list[Record]:
        """Return the records, without the failures that do not fail the run."""
        return [replace(record, failed=False) if record.id in self._excused else record for record in self._records]

    def _write(self, session: pytest.Session) -> None:
        """Write the files that were asked for."""
        for name, write in {"launcher_json": self._write_json, "launcher_html": self._write_html}.items():
            path = given_options.path(self._config, name)
            try:
                if path is not None:
                    write(path)
            except OSError as error:
                self._fail(session, f"{given_options.spelled(name)} was not written: {error}")

    def _write_json(self, path: Path) -> None:
        from .json_report import write_json

        write_json(path, self._records)

    def _write_html(self, path: Path) -> None:
        from .html.page import write_page

        write_page(path, self._records, trends_of(self._config), [*self._problems, *self._notes])

    def _fail(self, session: pytest.Session, problem: str) -> None:
        self._problems.append(problem)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
