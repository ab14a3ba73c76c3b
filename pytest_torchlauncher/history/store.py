"""The history's file: SQLite, to which several processes may append at the same time."""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import astuple, fields
from pathlib import Path

from ..errors import LauncherError, display_path
from .run import Point, Run, Value

__all__ = ["FILE", "FOLDER", "KEPT", "History", "HistoryError"]

FOLDER = "torchlauncher-history"
"""In pytest's cache directory, which ``--cache-clear`` empties."""
FILE = "history.sqlite3"
KEPT = 1000
"""Runs; the oldest go."""

_VERSION = 1
"""Of the tables, ``user_version`` of the file."""
_PATIENCE = 20.0
"""Seconds to wait for other processes, each of which needs the file for milliseconds."""
_SCHEMA = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        started TEXT NOT NULL,
        plugin TEXT NOT NULL,
        torch TEXT NOT NULL,
        git_commit TEXT NOT NULL,
        is_subset INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE metric_values (
        run INTEGER NOT NULL REFERENCES runs,
        evaluation TEXT NOT NULL,
        model TEXT NOT NULL,
        dataset TEXT NOT NULL,
        device TEXT NOT NULL,
        metric TEXT NOT NULL,
        value REAL,
        baseline REAL,
        delta REAL,
        verdict TEXT NOT NULL,
        samples INTEGER NOT NULL,
        seconds REAL
    )
    """,
    "CREATE INDEX values_of_runs ON metric_values (run)",
    f"PRAGMA user_version = {_VERSION}",
)
_RUN = "INSERT INTO runs (started, plugin, torch, git_commit, is_subset) VALUES (?, ?, ?, ?, ?)"
_COLUMNS = tuple(field.name for field in fields(Value))
_VALUE = f"INSERT INTO metric_values (run, {', '.join(_COLUMNS)}) VALUES (?{', ?' * len(_COLUMNS)})"
_TRENDS = """
    WITH whole AS (
        SELECT metric_values.*, started, git_commit,
            count(*) OVER (PARTITION BY run, evaluation, metric) AS times,
            first_value(device) OVER (PARTITION BY evaluation, metric ORDER BY run DESC) AS latest
        FROM metric_values JOIN runs ON runs.id = run
        WHERE NOT is_subset
    ), aged AS (
        SELECT *, row_number() OVER (PARTITION BY evaluation, metric ORDER BY run DESC) AS age
        FROM whole
        WHERE times = 1 AND device = latest
    )
    SELECT evaluation, metric, started, git_commit, value, baseline, verdict FROM aged WHERE age <= ? ORDER BY run
"""


class HistoryError(LauncherError):
    """The file of a history cannot be read or written; it is left as it is."""


class History:
    """The history in the file `path`, made by the first run that is appended, in a folder that is there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, run: Run) -> None:
        """Append `run`, in one transaction; of the latest `KEPT` runs, the oldest go.

        Raises:
            HistoryError: the file is damaged, of a later version or not to be written, or others keep it locked.
        """
        with self._connected(must_exist=False) as connection:
            self._version(connection)
            self._log_ahead(connection)
            with _transaction(connection, "IMMEDIATE"):
                # Another process may have made the tables since.
                if self._version(connection) == 0:
                    for statement in _SCHEMA:
                        connection.execute(statement)
                about = (run.started, run.plugin, run.torch, run.commit, run.is_subset)
                number = connection.execute(_RUN, about).lastrowid or 0
                connection.executemany(_VALUE, [(number, *astuple(value)) for value in run.values])
                connection.execute("DELETE FROM metric_values WHERE run <= ?", (number - KEPT,))
                connection.execute("DELETE FROM runs WHERE id <= ?", (number - KEPT,))

    def runs(self) -> tuple[Run, ...]:
        """Return all runs, oldest first.

        Raises:
            HistoryError: there is no such file, it is damaged, or of a later version.
        """
        values: dict[int, list[Value]] = defaultdict(list)
        with self._connected() as connection, _transaction(connection, "DEFERRED"):
            if self._version(connection) == 0:
                return ()
            for number, *columns in connection.execute(f"SELECT run, {', '.join(_COLUMNS)} FROM metric_values"):
                values[number].append(Value(*columns))
            rows = connection.execute("SELECT id, started, plugin, torch, git_commit, is_subset FROM runs ORDER BY id")
            return tuple(
                Run(number, started, plugin, torch, commit, bool(is_subset), tuple(values[number]))
                for number, started, plugin, torch, commit, is_subset in rows
            )

    def trends(self, limit: int = 50) -> Mapping[tuple[str, str], tuple[Point, ...]]:
        """Return the latest `limit` points of each metric by evaluation and name, oldest first.

        They are of whole datasets, and of the device on which the evaluation was run last. A test that measured a
        metric more than once in a run has no point there: nothing tells the values apart.

        Raises:
            HistoryError: there is no such file, it is damaged, or of a later version.
        """
        points: dict[tuple[str, str], list[Point]] = defaultdict(list)
        with self._connected() as connection:
            if self._version(connection) == 0:
                return {}
            for evaluation, metric, *columns in connection.execute(_TRENDS, (limit,)):
                points[evaluation, metric].append(Point(*columns))
        return {key: tuple(found) for key, found in points.items()}

    @contextmanager
    def _connected(self, *, must_exist: bool = True) -> Iterator[sqlite3.Connection]:
        """Give a connection whose errors are told as those of this file."""
        place = f"{self._path.absolute().as_uri()}?mode={'rw' if must_exist else 'rwc'}"
        try:
            with closing(sqlite3.connect(place, timeout=_PATIENCE, isolation_level=None, uri=True)) as connection:
                yield connection
        except sqlite3.Error as error:
            damaged = _name(error).startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT"))
            raise self._error(f"{error}{'; move it away to begin a new history' if damaged else ''}") from error

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the version of the file, 0 where it is empty yet.

        Raises:
            HistoryError: it is later than this one, or the file holds something else.
        """
        # Tables are looked for first: another process may make them and set the version in between.
        has_tables = connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            expected = f"version {version} found, at most {_VERSION} expected"
            raise self._error(f"{expected}; update pytest-torchlauncher, or move the file away to begin a new history")
        if version == 0 and has_tables:
            raise self._error("tables of something else found, a history expected; move the file away")
        return int(version)

    def _log_ahead(self, connection: sqlite3.Connection) -> None:
        """Let the file have a write-ahead log, which it keeps from then on.

        Raises:
            HistoryError: it lies where there can be none, on a network drive say.
        """
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                break
            except sqlite3.OperationalError as error:
                # SQLite itself does not wait where two processes begin a file at once.
                if not _name(error).startswith("SQLITE_BUSY") or time.monotonic() > end:
                    raise
                time.sleep(0.01)
        if mode != "wal":
            raise self._error("no write-ahead log can be kept there; choose another cache_dir")

    def _error(self, text: str) -> HistoryError:
        return HistoryError(f"{display_path(self._path)}: {text}")


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    # The connection commits, or rolls back what raised.
    with connection:
        yield


def _name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "")
