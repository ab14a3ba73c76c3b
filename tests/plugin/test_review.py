"""The questions of ``--launcher-review``: what each answer stores. Records stand in for runs, text for a terminal."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from baseline_factories import KEY, entry, hits, measured, plain

from pytest_torchlauncher.baselines.baseline import Key
from pytest_torchlauncher.record import Record, StoredEntry
from pytest_torchlauncher.reports.review import review

QUESTION = "  accept? [y]es/[n]o/[a]ll/[q]uit "


class Terminal:
    def __init__(self):
        self.text = ""

    def section(self, title):
        self.text += f"== {title} ==\n"

    def write(self, text, *, flush=False):
        self.text += text

    def write_line(self, line):
        self.text += f"{line}\n"

    def ensure_newline(self):
        self.text += "\n"


@pytest.fixture
def asked(monkeypatch):
    """Review records with the answers given, and return what came of it and what was shown."""

    def ask(answers, *records):
        plugins = {"terminalreporter": Terminal(), "capturemanager": None}
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        reviewed = review(SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=plugins.get)), records)
        return reviewed, plugins["terminalreporter"].text

    return ask


def record(name="net", status="regressed", previous=(358,), measured_now=(357,)):
    """Return a run of accuracies top1, top2 … and an error rate, whose numbers of right samples were `previous`."""
    key = replace(KEY, model=name)
    names = [f"top{index}" for index, _ in enumerate(measured_now, 1)]
    now = dict(zip(names, map(hits, measured_now), strict=True))
    stored = {name: right / 360 for name, right in zip(names, previous, strict=False)}
    baseline, packed = entry(key, measured(now), previous=stored or None)
    metrics = [row(name, metric.value, stored.get(name), status) for name, metric in now.items()]
    return made(key, status, metrics, StoredEntry.of("/digits.json", baseline.to_json(), packed))


def row(name, value, baseline, verdict):
    return {"name": name, "value": value, "baseline": baseline, "verdict": verdict, "checks": []}


def made(key: Key, status, metrics, candidate):
    return Record(
        id=f"digits.launcher.yml::{key.model}-digits",
        index=0,
        model=key.model,
        dataset="digits",
        device="cpu",
        file="/digits.launcher.yml",
        line=1,
        status=status,
        failed=status != "improved",
        message=f"{key.model} is {status}",
        metrics=tuple(metrics),
        candidate=candidate,
    )


def test_yes_to_a_worse_value_stores_it_with_the_reason(asked):
    before = record()
    (after,), text = asked("y\nsmaller model\n", before)
    assert text == (
        "== launcher review ==\n"
        "digits.launcher.yml::net-digits: net is regressed\n"
        "  top1 0.9917, baseline 0.9944, delta -0.0028: regressed\n"
        f"{QUESTION}  top1 would get worse; reason: "
    )
    assert (after.status, after.failed, after.candidate) == ("updated", False, None)
    assert after.message == "top1 0.9917, baseline 0.9944, delta -0.0028: updated"
    assert [metric["verdict"] for metric in after.metrics] == ["updated"]
    assert after.write.entry == {**before.candidate.entry, "reason": "smaller model"}
    assert after.write.outcome_bytes == before.candidate.outcome_bytes


def test_a_better_value_needs_no_reason(asked):
    before = record(status="improved", measured_now=(359,))
    (after,), text = asked("YES\n", before)
    assert after.write.entry == before.candidate.entry
    assert "reason" not in text


def test_an_error_rate_that_rises_is_worse(asked):
    baseline, packed = entry(
        KEY, measured({"mae": plain(0.5, higher_is_better=False, bounded=False)}), previous={"mae": 0.25}
    )
    candidate = StoredEntry.of("/digits.json", baseline.to_json(), packed)
    (after,), text = asked("y\nother units\n", made(KEY, "regressed", [row("mae", 0.5, 0.25, "regressed")], candidate))
    assert "mae would get worse" in text
    assert after.write.entry["reason"] == "other units"


def test_a_first_value_needs_no_reason(asked):
    (after,), text = asked("y\n", record(status="missing_baseline", previous=()))
    assert "  top1 0.9917, no baseline: missing_baseline\n" in text
    assert after.write.entry["reason"] is None
    _, text = asked("n\n", record(status="missing_baseline", previous=()))
    assert text.endswith("  not accepted: it stays without a baseline\n")


def test_a_published_value_is_called_so(asked):
    before = record(status="regressed", previous=())
    metric = {**row("top1", 0.5, 0.75, "regressed"), "checks": [{"against": "reference"}]}
    _, text = asked("n\n", replace(before, metrics=(metric,)))
    assert "top1 0.5000, reference 0.7500, delta -0.2500: regressed" in text


@pytest.mark.parametrize(
    ("answers", "questions"),
    [("n\n", 1), ("y\nn\n", 2), ("y\ny\n\n", 3), ("y\ny\n  \n", 3), ("maybe\n\nn\n", 3)],
)
def test_one_no_keeps_the_whole_evaluation(asked, answers, questions):
    before = record(previous=(358, 359), measured_now=(357, 359))
    (after,), text = asked(answers, before)
    assert after is before
    assert text.count(QUESTION) + text.count("reason: ") == questions
    assert text.endswith("  not accepted: the baseline stays as it is\n")


def test_the_next_evaluation_is_asked_for_after_a_no(asked):
    first, second = record("one"), record("two")
    (kept, stored), _ = asked("n\ny\nreason of two\n", first, second)
    assert kept is first
    assert stored.write.entry["reason"] == "reason of two"


def test_each_evaluation_has_a_reason_of_its_own(asked):
    reviewed, _ = asked("y\nfirst\ny\nsecond\n", record("one"), record("two"))
    assert [r.write.entry["reason"] for r in reviewed] == ["first", "second"]


def test_all_answers_everything_that_follows_with_one_reason(asked):
    records = [record("one", previous=(358, 358), measured_now=(357, 357)), record("two"), record("three")]
    reviewed, text = asked("a\nsmaller model\n", *records)
    assert [r.write.entry["reason"] for r in reviewed] == ["smaller model"] * 3
    assert text.count(QUESTION) == 1
    assert "  top1 and top2 would get worse; reason: " in text
    assert text.count(": regressed\n") == 4


@pytest.mark.parametrize("end", ["q\n", "QUIT\n", "", "y\n"])
def test_the_end_of_the_answers_stores_nothing_more(asked, end):
    (stored, kept, last), text = asked(f"y\nreason\n{end}", record("one"), record("two"), record("three"))
    assert stored.write.entry["reason"] == "reason"
    assert (kept.status, kept.write, last.write) == ("regressed", None, None)
    assert text.endswith("\nreview ended: nothing more is stored\n")
    assert "three" not in text


def test_what_has_no_candidate_and_what_passed_is_not_asked_for(asked):
    records = [replace(record(), status="error", candidate=None), replace(record(), status="pass", failed=False)]
    reviewed, text = asked("", *records)
    assert reviewed == records
    assert text == ""


@pytest.fixture
def failing(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.9, 0.5, 0.1)
    return tiny


def on_a_terminal(folder, answer, *arguments):
    """Return the exit status and output of pytest on a terminal; `answer` acts at the first question."""
    own, other = pty.openpty()
    command = [sys.executable, "-m", "pytest", "--launcher-review", "-p", "no:hypothesispytest", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdin=other, stdout=other, stderr=other, start_new_session=True)
    os.close(other)
    text, asked = b"", False
    try:
        while chunk := os.read(own, 65536):
            text += chunk
            if not asked and QUESTION.encode() in text:
                asked = True
                answer(process, own)
    except OSError:  # the other end is closed
        pass
    os.close(own)
    return process.wait(), text.decode().replace("\r", "")


def test_an_accepted_value_is_stored_and_the_tests_have_failed_nevertheless(failing, pytester):
    def answer(process, terminal):
        os.write(terminal, b"y\nsmaller model\n")

    status, text = on_a_terminal(pytester.path, answer, "-n1", "--launcher-json=out.json")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert re.search(r"tiny-greys +top1 +0.9167 +0.3333 +-0.5833\n", text)
    assert "candidate" not in text
    assert '"reason": "smaller model"' in failing.baseline.read_text()
    assert '"status": "updated"' in (pytester.path / "out.json").read_text()
    pytester.runpytest().assert_outcomes(passed=1)


def test_an_interrupt_leaves_the_summary_and_the_candidates(failing, pytester):
    before = failing.baseline.read_text()

    def answer(process, terminal):
        process.send_signal(signal.SIGINT)

    status, text = on_a_terminal(pytester.path, answer, "-s")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "review ended: nothing more is stored\n" in text
    assert "Traceback" not in text
    assert re.search("tiny-greys +top1 +0.9167 +0.3333 +-0.5833", text)
    assert "candidate baselines lie in .pytest_cache" in text
    assert failing.baseline.read_text() == before


@pytest.mark.parametrize("options", [(), ("-s",), ("-p", "no:capture")])
def test_without_a_terminal_nobody_can_be_asked(pytester, monkeypatch, options):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    result = pytester.runpytest("--launcher-review", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    expected = "ERROR: --launcher-review needs a terminal; without one store values with --launcher-update"
    assert expected in result.errlines
