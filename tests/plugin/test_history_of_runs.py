"""What runs of pytest leave in the history, and what a report page draws of it."""

import pytest

from pytest_torchlauncher.history.store import History

BASELINE, MEASURED = 11 / 12, 4 / 12


@pytest.fixture(autouse=True)
def _outside_ci(monkeypatch):
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def path(pytester):
    return pytester.path / ".pytest_cache" / "d" / "torchlauncher-history" / "history.sqlite3"


def test_each_run_is_appended(tiny, pytester, path, monkeypatch):
    monkeypatch.setenv("GITHUB_SHA", "c" * 40)
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.9, 0.5, 0.1)
    pytester.runpytest().assert_outcomes(failed=1)
    first, second = History(path).runs()
    assert [value.verdict for run in (first, second) for value in run.values] == ["recorded", "regressed"]
    assert (second.commit, second.is_subset) == ("c" * 40, False)
    assert first.torch
    assert first.plugin
    (value,) = second.values
    assert (value.evaluation, value.metric) == ("tiny.launcher.yml::tiny-greys", "top1")
    assert (value.value, value.baseline, value.delta) == (MEASURED, BASELINE, MEASURED - BASELINE)
    assert (value.model, value.dataset, value.device, value.samples) == ("tiny", "greys", "cpu", 12)
    assert value.seconds > 0
    ((key, points),) = History(path).trends().items()
    assert key == (value.evaluation, "top1")
    assert [point.value for point in points] == [BASELINE, MEASURED]
    assert points[1].time == second.started


def test_workers_and_reruns_double_nothing(tiny, pytester, path):
    (pytester.path / "test_net.py").write_text(
        "def test_net(torch_launcher):\n    torch_launcher('tiny.launcher.yml').check()\n"
    )
    pytester.runpytest_subprocess("-n2", "--reruns=1").assert_outcomes(failed=2)
    (run,) = History(path).runs()
    assert sorted(value.evaluation for value in run.values) == [
        "test_net.py::test_net",
        "tiny.launcher.yml::tiny-greys",
    ]
    assert {value.value for value in run.values} == {BASELINE}


def test_a_part_is_marked(tiny, pytester, path):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    pytester.runpytest("--launcher-limit=6")
    pytester.runpytest("-o", "launcher_limit=50%")
    assert [run.is_subset for run in History(path).runs()] == [False, True, True]
    assert [len(points) for points in History(path).trends().values()] == [1]


def test_what_is_cached_was_not_measured(tiny, pytester, path):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    pytester.runpytest_subprocess("--launcher-cache").assert_outcomes(passed=1)
    assert pytester.runpytest_subprocess("--launcher-cache").parseoutcomes() == {"cached": 1}
    assert len(History(path).runs()) == 2


def test_where_nothing_was_measured_there_is_no_file(tiny, pytester, path):
    pytester.runpytest("--collect-only")
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(failed=1)
    tiny.replace("accuracy, name: top1", "accuracy, name: top1, top_k: 9")
    pytester.runpytest().assert_outcomes(failed=1)
    (pytester.path / "val.txt").unlink()
    pytester.runpytest().assert_outcomes(skipped=1)
    assert not path.parent.exists()


@pytest.mark.parametrize("damage", ["file", "folder"])
def test_a_history_that_cannot_be_written_is_a_note(tiny, pytester, path, damage):
    if damage == "file":
        path.parent.mkdir(parents=True)
        path.write_text("no database, " * 100)
    else:
        path.parent.parent.mkdir(parents=True)
        path.parent.write_text("in the way")
    result = pytester.runpytest("--launcher-record", "--launcher-html=report.html")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    (line,) = [line for line in result.outlines if line.startswith("the history was not written: ")]
    assert "torchlauncher-history" in line
    assert "the history was not written: " in (pytester.path / "report.html").read_text("utf-8")
    if damage == "file":
        assert path.read_text() == "no database, " * 100


def test_a_report_draws_the_trend_with_this_run(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.9, 0.5, 0.1)
    pytester.runpytest("--launcher-html=report.html").assert_outcomes(failed=1)
    told = "top1 in the latest 2 runs, from 0.9167 to 0.3333"
    assert told in (pytester.path / "report.html").read_text("utf-8")
