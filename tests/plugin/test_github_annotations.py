"""What a run tells GitHub Actions: annotations among its output, and the summary of its step."""

from itertools import pairwise

import pytest
from markdown_it import MarkdownIt


@pytest.fixture
def summary(tmp_path, monkeypatch):
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    return path


@pytest.fixture
def regressed(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.9, 0.5, 0.1)
    return tiny


def commands(result):
    return [line for line in result.outlines if line.startswith("::")]


def table(path):
    """Return the texts of the cells of all tables."""
    tokens = MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8"))
    return [token.content for before, token in pairwise(tokens) if before.type == "td_open"]


def test_a_failure_is_annotated_at_its_dataset(regressed, pytester, summary):
    result = pytester.runpytest()
    (line,) = commands(result)
    number = 1 + regressed.file.read_text().splitlines().index("  - name: greys")
    assert line.startswith(
        f"::error file=tiny.launcher.yml,line={number},title=tiny-greys::top1 0.3333, baseline 0.9167"
    )
    assert table(summary) == ["❌ regressed", "tiny-greys", "top1", "0.9167", "0.3333", "-0.5833"]


def test_files_are_named_from_the_workspace(regressed, pytester, summary, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path.parent))
    (line,) = commands(pytester.runpytest())
    assert line.startswith(f"::error file={pytester.path.name}/tiny.launcher.yml,line=")


def test_each_step_adds_its_own_section(regressed, pytester, summary):
    pytester.runpytest()
    regressed.save_centers(0.1, 0.5, 0.9)
    result = pytester.runpytest("-q")
    assert commands(result) == []
    headings = [line for line in summary.read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
    assert headings == [
        "## Launcher evaluations: 1 of 1 failed",
        "## Launcher evaluations: none of 1 failed",
    ]


def test_only_the_controller_tells(regressed, pytester, summary):
    result = pytester.runpytest_subprocess("-n2", "-p", "no:cacheprovider")
    assert len(commands(result)) == 1
    assert len(table(summary)) == 6


def test_nothing_without_evaluations_or_outside_of_github(regressed, pytester, summary, monkeypatch):
    test = pytester.makepyfile(test_plain="def test_plain(): assert 0\n")
    assert commands(pytester.runpytest(test)) == []
    assert not summary.exists()
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert commands(pytester.runpytest()) == []
    assert not summary.exists()


def test_a_failure_that_fails_no_test_is_no_error(regressed, pytester, summary):
    regressed.replace("launchers:", "marks: [{xfail: 'True', reason: known}]\nlaunchers:")
    (pytester.path / "test_net.py").write_text(
        "import pytest\n"
        "def test_net(torch_launcher):\n"
        "    with pytest.raises(AssertionError):\n"
        "        torch_launcher('tiny.launcher.yml').check()\n"
    )
    result = pytester.runpytest()
    result.assert_outcomes(xfailed=1, passed=1)
    assert commands(result) == []
    assert "## Launcher evaluations: none of 2 failed" in summary.read_text(encoding="utf-8")


def test_a_baseline_that_cannot_be_written_is_an_error(tiny, pytester, summary):
    (pytester.path / "__baselines__").write_text("no folder")
    result = pytester.runpytest("--launcher-record")
    assert len(commands(result)) == 1
    assert "## Launcher evaluations: 1 of 1 failed" in summary.read_text(encoding="utf-8")


def test_what_the_data_cannot_prove_is_a_warning(regressed, pytester, summary):
    regressed.save_centers(0.1, 0.5, 1.3)
    regressed.replace("datasets:", "gate: {test: paired, margin: 0.01, on_inconclusive: pass}\ndatasets:")
    result = pytester.runpytest()
    (line,) = commands(result)
    assert line.startswith("::warning file=tiny.launcher.yml,line=")


def test_a_summary_that_cannot_be_written_fails_nothing(tiny, pytester, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    result = pytester.runpytest("--launcher-record")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["GITHUB_STEP_SUMMARY was not written: *"])
