"""The controller's end of a run: it alone gathers records, writes baselines and the JSON, and prints the summary."""

from __future__ import annotations

import pytest

from .. import given_options
from ..record import Record
from .candidates import leave_candidates
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
        self._by_item: dict[str, list[Record]] = {}
        self._records: list[Record] = []
        self._notes: list[str] = []
        self._problems: list[str] = []
        if config.getoption("launcher_review"):
            check_terminal(config)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the records of an item; those of a rerun replace the earlier ones."""
        if records := attached(report):
            self._by_item[report.nodeid] = records

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what this run is to leave behind."""
        config = self._config
        if config.option.collectonly:
            return
        records = sorted((r for records in self._by_item.values() for r in records), key=lambda record: record.index)
        if config.getoption("launcher_review") and session.exitstatus in _ENDED:
            records = review(config, records)
        self._records, problems = write_baselines(records)
        for problem in problems:
            self._fail(session, problem)
        self._notes += leave_candidates(config, self._records)
        if config.getoption("launcher_prune"):
            self._notes += prune(session, self._records)
        self._write_json(session)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List every evaluation; silent where there was none."""
        if not self._records and not self._problems and not self._notes:
            return
        from .terminal import write_summary

        write_summary(terminalreporter, self._records, self._problems, self._notes)

    def _write_json(self, session: pytest.Session) -> None:
        path = given_options.path(self._config, "launcher_json")
        if path is None:
            return
        from .json_report import write_json

        try:
            write_json(path, self._records)
        except OSError as error:
            self._fail(session, f"--launcher-json was not written: {error}")

    def _fail(self, session: pytest.Session, problem: str) -> None:
        self._problems.append(problem)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
