"""The history's file: what comes back, who may write at the same time, and what is left alone."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import astuple, replace

import pytest

from pytest_torchlauncher.history.run import Point, Run, Value
from pytest_torchlauncher.history.store import KEPT, History, HistoryError

VALUE = Value("a::net-data", "net", "data", "cpu", "top1", 1 / 3, 0.75, 1 / 3 - 0.75, "regressed", 12, 0.1)
RUN = Run(0, "2026-11-24T09:00:00+00:00", "0.1.0", "2.13.0", "c" * 40, False, (VALUE,))


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "history.sqlite3")


def run(*values, **changes):
    return replace(RUN, values=values, **changes)


def sql(history, statement):
    with closing(sqlite3.connect(history._path)) as connection:
        return connection.execute(statement).fetchall()


def numbers(history, *, limit=50, metric="top1"):
    return [point.value for point in history.trends(limit).get((VALUE.evaluation, metric), ())]


def test_what_is_appended_comes_back(history):
    unknown = Value("b::é\0", "", "", "", "f1", None, None, None, "recorded", 0, None)
    part = run(VALUE, unknown, started="2026-11-24T10:00:00+00:00", commit="", is_subset=True)
    for one in (RUN, part):
        history.append(one)
    assert history.runs() == (replace(RUN, id=1), replace(part, id=2))


def test_the_file_has_a_log_and_a_version(history):
    history.append(RUN)
    assert sql(history, "PRAGMA journal_mode") == [("wal",)]
    assert sql(history, "PRAGMA user_version") == [(1,)]


def test_a_run_is_appended_whole_or_not_at_all(history):
    history.append(RUN)
    with pytest.raises(HistoryError, match="NOT NULL constraint failed"):
        history.append(run(VALUE, replace(VALUE, verdict=None)))
    assert len(history.runs()) == 1
    assert sql(history, "SELECT count(*) FROM metric_values") == [(1,)]


def test_the_oldest_runs_go(history):
    history.append(RUN)
    further, marks = range(2, KEPT + 1), ", ?" * len(astuple(VALUE))
    with closing(sqlite3.connect(history._path)) as connection, connection:
        connection.executemany("INSERT INTO runs VALUES (?, '', '', '', '', 0)", [(number,) for number in further])
        rows = [(number, *astuple(VALUE)) for number in further]
        connection.executemany(f"INSERT INTO metric_values VALUES (?{marks})", rows)
    assert history.runs()[0].id == 1
    history.append(RUN)
    kept = history.runs()
    assert [one.id for one in kept] == list(range(2, KEPT + 2))
    assert all(one.values == (VALUE,) for one in kept)
    assert sql(history, "SELECT count(*) FROM metric_values") == [(KEPT,)]


APPENDING = """
import sys, time
from dataclasses import replace
from pathlib import Path
from pytest_torchlauncher.history.run import Run, Value
from pytest_torchlauncher.history.store import History

path, process = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for number in range(25):
    values = tuple(Value("a", "", "", "", f"m{n}", process, number, n, "pass", 1, 0.0) for n in range(3))
    History(path).append(Run(0, "", "", "", str(process), False, values))
"""


def test_processes_at_the_same_time_lose_nothing(history):
    command = [sys.executable, "-c", APPENDING, str(history._path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*command, str(number)], **pipes) for number in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in processes] == [""] * 4
    runs = history.runs()
    assert [one.id for one in runs] == list(range(1, 101))
    for process in range(4):
        own = [[(v.value, v.baseline, v.delta) for v in one.values] for one in runs if one.commit == str(process)]
        assert own == [[(process, number, n) for n in range(3)] for number in range(25)]


def test_trends_are_oldest_first_and_limited(history):
    for number in range(5):
        history.append(run(replace(VALUE, value=number / 7), replace(VALUE, metric="f1", value=None)))
    assert numbers(history) == [number / 7 for number in range(5)]
    assert numbers(history, limit=2) == [3 / 7, 4 / 7]
    assert numbers(history, metric="f1") == [None] * 5
    point = Point(RUN.started, RUN.commit, 4 / 7, VALUE.baseline, "regressed")
    assert history.trends(1)[VALUE.evaluation, "top1"] == (point,)


def test_a_limit_counts_the_runs_that_measured_the_metric(history):
    history.append(RUN)
    for _ in range(3):
        history.append(run(replace(VALUE, metric="f1")))
    assert numbers(history, limit=2) == [VALUE.value]


def test_parts_are_in_no_trend(history):
    for value, is_subset in ((0.1, False), (0.2, True), (0.3, False)):
        history.append(run(replace(VALUE, value=value), is_subset=is_subset))
    assert numbers(history) == [0.1, 0.3]
    history.append(run(replace(VALUE, evaluation="b"), is_subset=True))
    assert "b" not in {evaluation for evaluation, _ in history.trends()}


def test_a_trend_is_of_the_latest_device(history):
    for value, device in ((0.1, "cpu"), (0.2, "cuda"), (0.3, "cpu")):
        history.append(run(replace(VALUE, value=value, device=device)))
    assert numbers(history) == [0.1, 0.3]


def test_what_was_measured_twice_in_a_run_has_no_point(history):
    history.append(RUN)
    history.append(run(VALUE, replace(VALUE, value=0.5)))
    assert numbers(history) == [VALUE.value]


def read(history):
    history.runs()


@pytest.mark.parametrize("act", [read, History.trends, lambda history: history.append(RUN)])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no database, " * 100, "file is not a database; move it away to begin a new history"),
        ("PRAGMA user_version = 2", "version 2 found, at most 1 expected; update pytest-torchlauncher, or move "),
        ("CREATE TABLE other (a)", "tables of something else found, a history expected; move the file away"),
    ],
)
def test_a_file_that_is_none_of_ours_is_left_as_it_is(history, act, content, told):
    if isinstance(content, bytes):
        history._path.write_bytes(content)
    else:
        sql(history, content)
    before = history._path.read_bytes()
    with pytest.raises(HistoryError) as error:
        act(history)
    assert str(error.value).startswith(f"{history._path}: {told}")
    assert history._path.read_bytes() == before
    assert [path.name for path in history._path.parent.iterdir()] == [history._path.name]


def test_a_file_that_was_cut_off_is_told(history):
    history.append(run(*[VALUE] * 500))
    whole = history._path.read_bytes()
    history._path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HistoryError, match="malformed; move it away to begin a new history"):
        history.runs()
    assert len(history._path.read_bytes()) == len(whole) // 2


def test_a_file_that_was_only_begun_is_empty(history):
    history._path.touch()
    assert history.runs() == ()
    assert history.trends() == {}
    history.append(RUN)
    assert len(history.runs()) == 1


def test_reading_makes_no_file(history):
    for act in (read, History.trends):
        with pytest.raises(HistoryError, match="unable to open database file"):
            act(history)
    assert not history._path.exists()


def test_where_there_can_be_no_log_it_is_told(history, monkeypatch):
    # A database in memory has none either.
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connection)
        with pytest.raises(HistoryError, match="no write-ahead log can be kept there; choose another cache_dir"):
            history.append(RUN)


def test_a_lock_that_stays_is_told(history, monkeypatch):
    monkeypatch.setattr("pytest_torchlauncher.history.store._PATIENCE", 0.05)
    history.append(RUN)
    with closing(sqlite3.connect(history._path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match="database is locked"):
            history.append(RUN)
    assert len(history.runs()) == 1


def test_names_that_mean_something_in_addresses(tmp_path):
    folder = tmp_path / "a?mode=memory#%41 é"
    folder.mkdir()
    History(folder / "h").append(RUN)
    assert (folder / "h").is_file()
    assert len(History(folder / "h").runs()) == 1
