"""``python -m pytest_torchlauncher history``: every value as CSV and JSON."""

import argparse
import csv
import io
import json
import subprocess
import sys
from dataclasses import asdict, astuple, replace

import pytest

from pytest_torchlauncher.history import command
from pytest_torchlauncher.history.run import Run, Value
from pytest_torchlauncher.history.store import History

VALUE = Value("a::net-é", "net", 'da,"ta', "cpu", "top1", 1 / 3, 0.75, 1 / 3 - 0.75, "regressed", 12, 0.1)
EMPTY = Value("b", "net", "two\nlines", "cpu", "f1", None, None, None, "recorded", 3, None)
RUNS = (
    Run(1, "2026-11-24T09:00:00+00:00", "0.1.0", "2.13.0", "c" * 40, False, (VALUE, EMPTY)),
    Run(2, "2026-11-24T10:00:00+00:00", "0.1.0", "2.13.0", "", True, (VALUE,)),
)


@pytest.fixture
def history(tmp_path, monkeypatch):
    """The file of a history with two runs, in the current directory's cache."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ".pytest_cache" / "d" / "torchlauncher-history" / "history.sqlite3"
    path.parent.mkdir(parents=True)
    for run in RUNS:
        History(path).append(replace(run, id=0))
    return path


def call(*arguments):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


def test_csv_has_a_line_for_each_value(history, capsys):
    assert call() == 0
    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    own = "evaluation,model,dataset,device,metric,value,baseline,delta,verdict,samples,seconds"
    assert ",".join(header) == f"run,started,plugin,torch,commit,is_subset,{own}"
    values = [(*astuple(run)[:6], *astuple(value)) for run in RUNS for value in run.values]
    assert rows == [["" if cell is None else str(cell) for cell in row] for row in values]
    assert float(rows[0][header.index("value")]) == 1 / 3


def test_json_has_the_runs_with_their_values(history, capsys):
    assert call("--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema": 1,
        "runs": [{**asdict(run), "values": [asdict(value) for value in run.values]} for run in RUNS],
    }


def test_a_cache_elsewhere_and_a_file_to_write(history, tmp_path, capsys):
    call("--format=json")
    printed = capsys.readouterr().out
    (tmp_path / ".pytest_cache").rename(tmp_path / "cache")
    assert call("--cache-dir", "cache", "--format=json", "--output", "out.json") == 0
    assert (tmp_path / "out.json").read_text("utf-8") == printed
    assert capsys.readouterr() == ("", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "out.json"]


def test_a_file_that_cannot_be_written_is_told(history, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert call("--output=out") == 1
    assert capsys.readouterr().err.startswith("the history was not written: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".pytest_cache", "out"]


def test_without_a_history_there_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("--output=out.csv") == 1
    remedy = "no history found; run pytest first, or name its cache directory with --cache-dir"
    assert capsys.readouterr() == ("", f".pytest_cache/d/torchlauncher-history/history.sqlite3: {remedy}\n")
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_one_sentence_and_keeps_what_was_written(history, tmp_path, capsys):
    (tmp_path / "out.csv").write_text("before")
    history.write_bytes(b"no database, " * 100)
    assert call("--output=out.csv") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("history.sqlite3: file is not a database; move it away to begin a new history")
    assert (tmp_path / "out.csv").read_text() == "before"


ALONE = """
import argparse, sys
from pytest_torchlauncher.history import command

parser = argparse.ArgumentParser()
command.add_arguments(parser)
code = command.run(parser.parse_args())
print(*{"torch", "numpy", "pydantic", "pytest", "yaml"} & set(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def test_it_imports_nothing_heavy(history):
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "\n")
    assert done.stdout.startswith("run,started,")


def test_a_reader_that_has_enough_ends_it_quietly(history):
    # More than a pipe holds.
    History(history).append(replace(RUNS[0], values=(VALUE,) * 3000))
    process = subprocess.Popen([sys.executable, "-c", ALONE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("run,started,")
    process.stdout.close()
    assert process.stderr.read() == "\n"
    process.stderr.close()
    assert process.wait() == 0
