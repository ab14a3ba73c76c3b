"""`--launcher-cache`: what passed is not run again while nothing that it depends on changed; all else is."""

import json
import os
import subprocess
import sys
import time

import pytest

from pytest_torchlauncher.results.conditions import own_sources

CONFTEST = """
from dataclasses import dataclass
from pathlib import Path

import pytest_torchlauncher as p
from helping import OFFSET

OFFSET += float(Path(__file__).with_name("offset.txt").read_text())


@p.register("shifted")
@dataclass(frozen=True)
class Shifted(p.Preprocessor):
    def apply(self, sample):
        return sample.with_data(sample.data + OFFSET)
"""


@pytest.fixture
def cached(tiny, pytester, monkeypatch):
    """The project, with a step and a helper of its own, after a first run that keeps its result."""
    # What other tests imported into this process.
    monkeypatch.setattr("pytest_torchlauncher.results.results._UNSEEN", ())
    here = str(pytester.path)
    monkeypatch.setattr(
        "pytest_torchlauncher.results.results.own_sources", lambda: {p for p in own_sources() if p.startswith(here)}
    )
    pytester.makeconftest(CONFTEST)
    (pytester.path / "helping.py").write_text("OFFSET = 0\n")
    (pytester.path / "offset.txt").write_text("0")
    (pytester.path / "first").mkdir()
    module = pytester.path / "tiny.py"
    module.write_text("import parts_of_tiny\n" + module.read_text())
    (pytester.path / "parts_of_tiny.py").write_text("SIZE = 4\n")
    tiny.file.write_text(tiny.file.read_text().replace("std: 255}", "std: 255}\n      - {type: shifted}"))
    tiny.file.write_text(tiny.file.read_text().replace("python_path: .", "python_path: [first, .]"))
    pytester.makeini("[pytest]\nlauncher_cache = true\npythonpath = .\n")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    age(pytester.path)
    outcomes(pytester, passed=1)
    return tiny


def age(folder):
    """Make everything in `folder` older than a run that begins now."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 60,) * 2)


def outcomes(pytester, *arguments, **expected):
    found = pytester.runpytest(*arguments).parseoutcomes()
    assert found == expected


def test_an_unchanged_evaluation_is_reported_as_cached(cached, pytester):
    result = pytester.runpytest("-v", "--launcher-json=out.json")
    assert result.ret == 0
    assert result.parseoutcomes() == {"cached": 1}
    result.stdout.fnmatch_lines(
        ["tiny.launcher.yml::tiny-greys CACHED*", "cached *tiny-greys *top1 *0.9167 *0.9167 *+0.0000"]
    )
    result.stdout.fnmatch_lines(["cached: not run again*--cache-clear*"])
    (evaluation,) = json.loads((pytester.path / "out.json").read_text())["evaluations"]
    assert (evaluation["cached"], evaluation["status"], evaluation["samples"]) == (True, "pass", 12)
    outcomes(pytester, cached=1)


def touched(path, text):
    path.write_text(text)


CHANGES = {
    "launcher file": lambda tiny: touched(tiny.file, tiny.file.read_text() + "\n# a comment\n"),
    "weights": lambda tiny: tiny.save_centers(0.11, 0.5, 0.9),
    "an image": lambda tiny: (tiny.folder / "images" / "03.png").write_bytes(
        (tiny.folder / "images" / "06.png").read_bytes()
    ),
    "annotations": lambda tiny: touched(tiny.folder / "val.txt", (tiny.folder / "val.txt").read_text() + "\n"),
    "module": lambda tiny: touched(tiny.folder / "tiny.py", (tiny.folder / "tiny.py").read_text() + "\n"),
    "import of the module": lambda tiny: touched(tiny.folder / "parts_of_tiny.py", "SIZE = 5\n"),
    "conftest": lambda tiny: touched(tiny.folder / "conftest.py", CONFTEST + "\n"),
    "import of conftest": lambda tiny: touched(tiny.folder / "helping.py", "OFFSET = 0.0\n"),
    "what conftest reads": lambda tiny: touched(tiny.folder / "offset.txt", "0.0"),
    "a module that goes before": lambda tiny: touched(tiny.folder / "first" / "parts_of_tiny.py", "SIZE = 4\n"),
    "baseline": lambda tiny: touched(tiny.baseline, tiny.baseline.read_text() + "\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_runs_it_again(cached, pytester, change):
    CHANGES[change](cached)
    outcomes(pytester, **({"passed": 1} if change != "an image" else {"failed": 1}))


def test_options_packages_and_variables_count(cached, pytester, monkeypatch):
    outcomes(pytester, "--launcher-limit=6", passed=1)
    outcomes(pytester, "-o", "launcher_margin=0.1", passed=1)
    age(pytester.path)
    outcomes(pytester, passed=1)
    outcomes(pytester, cached=1)
    monkeypatch.setenv("SOMETHING", "1")
    outcomes(pytester, passed=1)
    monkeypatch.setattr("pytest_torchlauncher.results.conditions._packages", lambda: "torch-0")
    outcomes(pytester, passed=1)


def test_clearing_pytests_cache_forgets(cached, pytester):
    outcomes(pytester, "--cache-clear", passed=1)


def test_workers_find_what_others_kept(cached, pytester):
    age(pytester.path)
    for expected in ({"passed": 1}, {"cached": 1}):
        result = pytester.runpytest_subprocess("-n", "2", "-p", "no:hypothesispytest")
        assert result.parseoutcomes() == expected


def test_recording_runs(cached, pytester):
    outcomes(pytester, "--launcher-update", passed=1)


def test_it_is_off_unless_asked_for(cached, pytester):
    outcomes(pytester, "-o", "launcher_cache=false", passed=1)
    pytester.makeini("[pytest]\npythonpath = .\n")
    outcomes(pytester, "--launcher-cache", cached=1)


def test_what_fails_runs_again(cached, pytester):
    cached.save_centers(0.5, 0.5, 0.9)
    age(pytester.path)
    outcomes(pytester, failed=1)
    outcomes(pytester, failed=1)


def test_a_file_that_changed_during_the_run_keeps_nothing(cached, pytester):
    cached.file.write_text(cached.file.read_text() + "\n")
    os.utime(cached.file, (time.time() + 60,) * 2)
    outcomes(pytester, passed=1)
    outcomes(pytester, passed=1)


def test_a_file_that_is_moved_into_place_during_the_run_keeps_nothing(cached, pytester):
    module = pytester.path / "tiny.py"
    move = "__import__('os').replace(__file__.replace('tiny.py', 'new.txt'), __file__.replace('tiny.py', 'val.txt'))"
    module.write_text(f"{module.read_text()}\n{move}\n")
    (pytester.path / "new.txt").write_text((pytester.path / "val.txt").read_text())
    age(pytester.path)
    outcomes(pytester, passed=1)
    (pytester.path / "new.txt").write_text((pytester.path / "val.txt").read_text())
    age(pytester.path)
    outcomes(pytester, passed=1)


@pytest.mark.parametrize(
    "code", ["import sqlite3; sqlite3.connect(':memory:').close()", "import cv2; cv2.imread('images/00.png')"]
)
def test_what_reads_where_nobody_sees_it_runs_again(cached, pytester, code):
    with (pytester.path / "tiny.py").open("a") as file:
        file.write(f"\n{code}\n")
    age(pytester.path)
    outcomes(pytester, passed=1)
    outcomes(pytester, passed=1)


def test_fixtures_of_the_project_run_again(cached, pytester):
    with (pytester.path / "conftest.py").open("a") as file:
        file.write("\n\nimport pytest\n\n@pytest.fixture(autouse=True)\ndef ready():\n    pass\n")
    age(pytester.path)
    outcomes(pytester, passed=1)
    outcomes(pytester, passed=1)


def test_a_strict_expected_failure_fails_as_ever(cached, pytester):
    outcomes(pytester, cached=1)
    cached.file.write_text(cached.file.read_text() + 'marks: [{xfail: "True", reason: bad, strict: true}]\n')
    age(pytester.path)
    for _ in range(2):
        result = pytester.runpytest()
        assert result.parseoutcomes() == {"failed": 1}
        result.stdout.fnmatch_lines(["FAILED*XPASS(strict)*"])


def test_fixtures_run_again(cached, pytester):
    cached.file.unlink()
    conftest = """
import numpy, pytest

@pytest.fixture
def greys():
    return [(numpy.full((4, 4), value, numpy.float32), label) for label, value in enumerate((0.1, 0.5, 0.9))]
"""
    pytester.makeconftest(conftest)
    (pytester.path / "given.launcher.yml").write_text(
        "launchers: [{framework: pytorch, module: tiny.Tiny, python_path: ., checkpoint: tiny.pt, "
        "adapter: classification}]\ndatasets: [{name: given, fixture: greys, metrics: [accuracy]}]\n"
    )
    outcomes(pytester, "--launcher-record", passed=1)
    age(pytester.path)
    outcomes(pytester, passed=1)
    outcomes(pytester, passed=1)


@pytest.mark.parametrize("damage", ["", "{}", '{"conditions": 1}', "[]"])
def test_a_damaged_result_is_none(cached, pytester, damage):
    (entry,) = (pytester.path / ".pytest_cache" / "d" / "torchlauncher-results").iterdir()
    entry.write_text(damage)
    outcomes(pytester, passed=1)


def test_shared_samples_and_modules_count_for_each_that_uses_them(cached, pytester):
    other = pytester.path / "other.launcher.yml"
    text = cached.file.read_text().replace("      - {type: shifted}\n", "")
    cached.file.unlink()
    for name in ("a", "b"):
        (pytester.path / f"{name}.launcher.yml").write_text(text.replace("name: tiny", f"name: {name}"))
    head, dataset = text.split("datasets:\n")
    other.write_text(head + "datasets:\n" + dataset + dataset.replace("name: greys", "name: again"))
    outcomes(pytester, "--launcher-record", passed=4)
    age(pytester.path)
    outcomes(pytester, passed=4)
    outcomes(pytester, cached=4)
    image = pytester.path / "images" / "03.png"
    image.write_bytes((pytester.path / "images" / "04.png").read_bytes())
    outcomes(pytester, failed=4)


def test_a_cached_run_imports_no_torch(cached, pytester):
    code = (
        "import sys, pytest\n"
        "assert pytest.main(['-p', 'no:hypothesispytest', '-q']) == 0\n"
        "print('torch' in sys.modules, 'cv2' in sys.modules)"
    )
    age(pytester.path)
    command = [sys.executable, "-c", code]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, cwd=pytester.path, check=True)
    assert "1 cached" in done.stdout
    assert done.stdout.endswith("False False\n")
