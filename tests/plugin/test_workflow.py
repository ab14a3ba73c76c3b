"""What a failing run leaves, and what a person accepts of it: candidates and the review on a terminal."""

import io
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from pytest_torchlauncher.reports import review


@pytest.fixture
def recorded(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    return tiny


def candidates(pytester):
    folder = pytester.path / ".pytest_cache" / "d" / "torchlauncher-candidates"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def baselines(pytester):
    folder = pytester.path / "__baselines__"
    return {
        f"__baselines__/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_failing_run_leaves_what_an_update_would_store(recorded, pytester):
    recorded.save_centers(0.9, 0.5, 0.1)
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["candidate baselines lie in *torchlauncher-candidates: accept them with pytest *"])
    left = candidates(pytester)
    pytester.runpytest("--launcher-update", "--launcher-reason=x").assert_outcomes(passed=1)
    stored = {
        name: content.replace(b'"reason": "x"', b'"reason": null') for name, content in baselines(pytester).items()
    }
    assert left == stored


def test_a_copy_accepts(recorded, pytester):
    recorded.save_centers(0.9, 0.5, 0.1)
    pytester.runpytest().assert_outcomes(failed=1)
    folder = pytester.path / ".pytest_cache" / "d" / "torchlauncher-candidates"
    shutil.copytree(folder, pytester.path, dirs_exist_ok=True)
    pytester.runpytest().assert_outcomes(passed=1)
    assert candidates(pytester) == {}


def test_a_missing_baseline_leaves_a_candidate_and_an_error_none(tiny, pytester):
    pytester.runpytest().assert_outcomes(failed=1)
    assert len(candidates(pytester)) == 2
    tiny.replace("return -((image", "return float('nan') * -((image", "tiny.py")
    pytester.runpytest().assert_outcomes(failed=1)
    assert candidates(pytester) == {}


def test_without_a_cache_nothing_is_left(recorded, pytester):
    recorded.save_centers(0.9, 0.5, 0.1)
    result = pytester.runpytest("-p", "no:cacheprovider")
    assert "candidate" not in result.stdout.str()


def test_workers_leave_the_same(recorded, pytester):
    recorded.save_centers(0.9, 0.5, 0.1)
    pytester.runpytest()
    alone = candidates(pytester)
    pytester.runpytest_subprocess("-n2").assert_outcomes(failed=1)
    assert candidates(pytester) == alone != {}


class Session:
    """pytest on a terminal of its own, in a process of its own."""

    def __init__(self, folder, *arguments):
        self._own, other = pty.openpty()
        command = [sys.executable, "-m", "pytest", "--launcher-review", *arguments]
        environment = {**os.environ, "COLUMNS": "300", "TERM": "dumb"}
        self._process = subprocess.Popen(command, cwd=folder, stdin=other, stdout=other, stderr=other, env=environment)
        os.close(other)
        self.text = ""

    def until(self, expected):
        deadline = time.monotonic() + 60
        while expected not in self.text and time.monotonic() < deadline:
            if select.select([self._own], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self._own, 65536).decode()
                except OSError:  # the other end is closed
                    break
        assert expected in self.text, self.text
        before, _, self.text = self.text.partition(expected)
        return before

    def say(self, text):
        os.write(self._own, text.encode())

    def interrupt(self):
        self._process.send_signal(signal.SIGINT)

    def end(self):
        rest = ""
        while True:
            try:
                rest += os.read(self._own, 65536).decode()
            except OSError:
                break
        self._process.wait()
        os.close(self._own)
        return self.text + rest


def test_yes_on_a_terminal_stores_with_the_reason(recorded, pytester):
    recorded.save_centers(0.9, 0.5, 0.1)
    session = Session(pytester.path, "-n1")
    shown = session.until("accept? [y]es/[n]o/[a]ll/[q]uit ")
    assert "top1 0.3333, baseline 0.9167, delta -0.5833: regressed" in shown
    session.say("y\n")
    session.until("top1 would get worse; reason: ")
    session.say("a smaller model\n")
    assert "updated  tiny-greys  top1  0.3333" in session.end()
    (entry,) = json.loads(recorded.baseline.read_text())["baselines"]
    assert (entry["reason"], entry["metrics"]["top1"]["value"]) == ("a smaller model", 4 / 12)
    pytester.runpytest().assert_outcomes(passed=1)


def test_an_interrupt_on_a_terminal_stores_nothing(recorded, pytester):
    before = baselines(pytester)
    recorded.save_centers(0.9, 0.5, 0.1)
    session = Session(pytester.path)
    session.until("[q]uit ")
    session.interrupt()
    text = session.end()
    assert "Traceback" not in text
    assert "review ended: nothing more is stored" in text
    assert baselines(pytester) == before


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def answered(pytester, monkeypatch):
    """Run pytest with a review that is answered by the lines of a text."""

    def run(text, *arguments):
        monkeypatch.setattr(review, "sys", SimpleNamespace(stdin=Terminal(text), stdout=Terminal()))
        monkeypatch.setattr(review, "_uncaptured", lambda config: nullcontext())
        return pytester.runpytest("--launcher-review", *arguments)

    return run


TEXTS = {"no": "n\n", "quit": "q\n", "no reason": "y\n\n", "end": "", "typo": "what\nno\n"}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_anything_but_yes_stores_nothing(recorded, pytester, answered, text):
    before = baselines(pytester)
    recorded.save_centers(0.9, 0.5, 0.1)
    result = answered(text)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["regressed  tiny-greys *", "candidate baselines lie in *"])
    assert baselines(pytester) == before


def test_a_green_run_asks_nothing(recorded, answered):
    assert "accept?" not in answered("").stdout.str()


def test_an_improvement_is_asked_for(recorded, pytester, answered):
    recorded.save_centers(0.9, 0.5, 0.1)
    pytester.runpytest("--launcher-update", "--launcher-reason=x")
    recorded.save_centers(0.1, 0.5, 0.9)
    assert answered("a\n").ret == pytest.ExitCode.OK
    assert json.loads(recorded.baseline.read_text())["baselines"][0]["metrics"]["top1"]["value"] == 11 / 12


def test_every_metric_of_an_evaluation_must_be_accepted(recorded, pytester, answered):
    recorded.replace("metrics:\n", "metrics:\n      - {type: accuracy, top_k: 2, name: top2}\n")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    before = baselines(pytester)
    recorded.save_centers(0.9, 0.5, 0.1)
    answered("y\nn\n").stdout.fnmatch_lines(["*  not accepted: the baseline stays as it is"])
    assert baselines(pytester) == before
    answered("y\ny\nsmaller\n")
    assert '"reason": "smaller"' in recorded.baseline.read_text()


def test_without_a_terminal_nobody_can_be_asked(recorded, pytester):
    result = pytester.runpytest("--launcher-review")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--launcher-review needs a terminal; without one store values with *"])
