"""What a failing run leaves, and what a person accepts of it: candidates and the review on a terminal."""

import io
import json
import shutil
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
