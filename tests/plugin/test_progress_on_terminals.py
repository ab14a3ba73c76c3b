"""Progress in runs of pytest: on a terminal, and nowhere else."""

import json
import os
import pty
import subprocess
import sys

import pytest

AT_ONCE = """
import pytest_torchlauncher.progress as progress
progress._AFTER = progress._EVERY = progress._METRIC_EVERY = -1.0
"""


def on_a_terminal(folder, *arguments):
    """Run pytest on a pseudo-terminal; return what it wrote."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
    process.wait()
    os.close(ours)
    return written.decode()


@pytest.fixture
def recorded(tiny, pytester):
    pytester.makeconftest(AT_ONCE)
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    return pytester.path


def test_samples_and_running_metric_on_a_terminal(recorded):
    text = on_a_terminal(recorded, "--color=no")
    assert "tiny-greys  4/12 samples  " in text
    assert "tiny-greys  12/12 samples  " in text
    assert "top1 0.7500" in text
    assert "top1 0.9167" in text
    # The line goes away before pytest writes its own mark.
    assert "\r\x1b[K\x1b[A\x1b[18C." in text
    assert "1 passed" in text


@pytest.mark.parametrize("arguments", [["-q"], ["-n", "1"]])
def test_it_is_silent_where_it_would_disturb(recorded, arguments):
    assert "12/12 samples" not in on_a_terminal(recorded, *arguments)


def test_it_is_silent_without_a_terminal(recorded, pytester):
    assert "samples" not in pytester.runpytest_subprocess().stdout.str()


def test_a_test_of_a_fixture_shows_it_too(recorded, pytester):
    pytester.makepyfile(test_one="def test_it(torch_launcher):\n    torch_launcher('tiny.launcher.yml').check()\n")
    assert "test_it  12/12 samples" in on_a_terminal(recorded, "test_one.py")


def test_durations_and_seconds_agree(tiny, pytester):
    pytester.makeconftest(
        """
        import json, time, pytest, torch

        class Slow(list):
            def __getitem__(self, index):
                time.sleep(0.05)
                return super().__getitem__(index)

        @pytest.fixture
        def slow():
            return Slow((torch.full((1, 4, 4), value), index) for index, value in enumerate([0.1, 0.5, 0.9]))

        def pytest_runtest_logreport(report):
            if report.when == "call":
                with open("durations.json", "w") as file:
                    json.dump(report.duration, file)
        """
    )
    text = tiny.file.read_text()
    start = text.index("  - name: greys")
    tiny.file.write_text(text[:start] + "  - {name: greys, fixture: slow, metrics: [{type: accuracy, name: top1}]}\n")
    pytester.runpytest("--launcher-record", "--launcher-json=out.json").assert_outcomes(passed=1)
    (evaluation,) = json.loads((pytester.path / "out.json").read_text())["evaluations"]
    seconds, duration = evaluation["seconds"], json.loads((pytester.path / "durations.json").read_text())
    assert seconds["data"] >= 0.15
    assert sum(value for stage, value in seconds.items() if stage != "total") <= seconds["total"] <= duration


def test_what_was_not_run_took_no_time(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    for _ in range(2):
        pytester.runpytest_subprocess("--launcher-cache", "--launcher-json=out.json")
    (evaluation,) = json.loads((pytester.path / "out.json").read_text())["evaluations"]
    assert (evaluation["cached"], evaluation["seconds"]) == (True, {})
