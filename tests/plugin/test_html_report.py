"""``--launcher-html`` in runs of pytest."""

import re

import pytest


def report(pytester, *arguments):
    path = pytester.path / "out" / "report.html"
    result = pytester.runpytest("--launcher-html=out/report.html", *arguments)
    return result, path.read_text("utf-8")


def test_a_regression_with_its_pictures(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.1, 0.5, 5.0)
    result, page = report(pytester)
    result.assert_outcomes(failed=1)
    assert "<title>Model accuracy: 1 regressed</title>" in page
    # The four images of the third class, before and now.
    assert page.count("<image") == 4
    assert page.count("lost by top1") == 4
    assert re.search(r"<strong>02.png</strong>, annotated 2: 2 \(\d\.\d\d\) before, 1 \(\d\.\d\d\) now", page)
    assert "Confusion matrix" in page


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_it_is_the_same_from_workers(tiny, pytester, workers):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.1, 0.5, 5.0)
    result, page = report(pytester, *workers)
    result.assert_outcomes(failed=1)
    assert page.count("<image") == 4


def test_what_fails_before_anything_is_measured(tiny, pytester):
    tiny.replace("batch: 4", "batch: four")
    result, page = report(pytester)
    result.assert_outcomes(failed=1)
    assert "batch: &#39;four&#39; found, a whole number expected" in page


def test_from_the_ini_file(tiny, pytester):
    pytester.makeini("[pytest]\nlauncher_html = report.html\n")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    assert "1 recorded" in (pytester.path / "report.html").read_text()


def test_a_cached_result_has_its_charts(tiny, pytester, monkeypatch):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    for _ in range(2):
        result = pytester.runpytest_subprocess("--launcher-cache", "--launcher-html=report.html")
        assert "Confusion matrix" in (pytester.path / "report.html").read_text()
    result.stdout.fnmatch_lines(["*1 cached*"])


def test_a_place_that_cannot_be_written_fails_the_run(tiny, pytester):
    (pytester.path / "file").touch()
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    result = pytester.runpytest("--launcher-html=file/report.html")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["--launcher-html was not written: *"])


def test_a_dataset_that_is_read_once_has_no_pictures(tiny, pytester):
    pytester.makeconftest(
        """
        import pytest, torch

        @pytest.fixture
        def once():
            values = [0.1, 0.5, 0.9] * 4
            return ((torch.full((1, 4, 4), value), index % 3) for index, value in enumerate(values))
        """
    )
    old = tiny.file.read_text()
    start = old.index("  - name: greys")
    tiny.file.write_text(old[:start] + "  - {name: greys, fixture: once, metrics: [{type: accuracy, name: top1}]}\n")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.1, 0.5, 5.0)
    result, page = report(pytester)
    result.assert_outcomes(failed=1)
    assert "<image" not in page
    assert "Right before, wrong now" in page
