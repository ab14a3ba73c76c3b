"""Metrics in JUnit XML, read back by junitparser."""

import pytest
from junitparser import JUnitXml, Properties

# pytest writes them into every family, and junitparser reads them there.
FAMILIES = ("xunit1", "xunit2")
BASELINE, MEASURED = 11 / 12, 4 / 12


def cases(pytester, *arguments, run="runpytest"):
    """Run pytest; return the properties of the last test case of each name, none of which a test case has twice."""
    getattr(pytester, run)("--junitxml=out.xml", *arguments)
    found = {}
    for suite in JUnitXml.fromfile(str(pytester.path / "out.xml")):
        for case in suite:
            pairs = [(p.name, p.value) for group in case.iterchildren(Properties) for p in group]
            assert len(dict(pairs)) == len(pairs), pairs
            # A rerun is a test case beside that of the first run.
            found[case.name] = dict(pairs)
    return found


@pytest.fixture
def regressed(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.save_centers(0.9, 0.5, 0.1)
    return tiny


EXPECTED = {
    "launcher.status": "regressed",
    "launcher.model": "tiny",
    "launcher.dataset": "greys",
    "launcher.device": "cpu",
    "launcher.samples": "12",
    "launcher.metric.top1": repr(MEASURED),
    "launcher.metric.top1.baseline": repr(BASELINE),
    "launcher.metric.top1.delta": repr(MEASURED - BASELINE),
    "launcher.metric.top1.verdict": "regressed",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_an_evaluation_has_its_metrics(regressed, pytester, family):
    (pytester.path / "test_plain.py").write_text("def test_plain(record_property): record_property('own', 1)\n")
    found = cases(pytester, "-o", f"junit_family={family}", "-W", "ignore:record_property")
    assert found == {"tiny-greys": EXPECTED, "test_plain": {"own": "1"}}


def test_workers_and_reruns_double_nothing(regressed, pytester):
    (pytester.path / "test_net.py").write_text(
        "def test_net(torch_launcher):\n    torch_launcher('tiny.launcher.yml').check()\n"
    )
    found = cases(pytester, "-n2", "--reruns=2", "-p", "no:cacheprovider", run="runpytest_subprocess")
    assert found == {"tiny-greys": EXPECTED, "test_net": EXPECTED}


def test_a_test_of_several_evaluations_counts_them(regressed, pytester):
    (pytester.path / "test_net.py").write_text(
        "import pytest\n"
        "def test_net(torch_launcher):\n"
        "    for batch in (1, 2):\n"
        "        with pytest.raises(AssertionError):\n"
        "            torch_launcher('tiny.launcher.yml', batch=batch).check()\n"
    )
    found = cases(pytester, "test_net.py")["test_net"]
    assert found == {name.replace("launcher.", f"launcher.{n}.", 1): v for n in (1, 2) for name, v in EXPECTED.items()}


def test_what_was_skipped_or_could_not_be_read_says_what_it_is(tiny, pytester):
    (pytester.path / "val.txt").unlink()
    broken = pytester.path / "broken.launcher.yml"
    broken.write_text("name: broken\n")
    found = cases(pytester)
    assert found["tiny-greys"]["launcher.status"] == "skipped"
    assert (found["tiny-greys"]["launcher.model"], found["tiny-greys"]["launcher.dataset"]) == ("tiny", "greys")
    assert found["configuration"]["launcher.status"] == "error"


def test_odd_names_of_metrics_are_still_xml(tiny, pytester):
    tiny.replace("name: top1", 'name: "t\\x07<&\\"é"')
    found = cases(pytester, "--launcher-record")["tiny-greys"]
    assert found['launcher.metric.t\ufffd<&"é'] == repr(BASELINE)
