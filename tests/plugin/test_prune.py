"""``--launcher-prune``: what is deleted, and when nothing is."""

import re

import pytest
from baseline_factories import KEY, entry, hits, measured

from pytest_torchlauncher.baselines.baseline import Key
from pytest_torchlauncher.baselines.store import Store

# What subprocesses need not load.
LIGHT = ("-p", "no:hypothesispytest")

FIXTURE_TEST = """
import pytest

def test_own(torch_launcher):
    torch_launcher("tiny.launcher.yml", baseline="own").check()
"""


@pytest.fixture
def orphan(pytester):
    """A baseline file whose launcher file is gone, beside two tests that pass."""
    pytester.makepyfile(test_one="def test_one(): pass", test_two="def test_two(): pass")
    path = pytester.path / "__baselines__" / "old.json"
    Store(path).write([entry()])
    return path


def pruned(pytester, *arguments, run=None):
    """Return the lines of a pruning run that are about it."""
    result = (run or pytester.runpytest)("--launcher-prune", *arguments)
    return [line for line in result.outlines if re.match(r"pruned |nothing |.* was not pruned: ", line)]


def keys(path):
    return {(key.model, key.device) for key in Store(path).keys()}  # noqa: SIM118


def add(path, *keys):
    Store(path).write([entry(key) for key in keys])


def test_a_baseline_file_whose_launcher_file_is_gone_is_deleted(pytester, orphan):
    deep = pytester.path / "deep" / "__baselines__" / "gone.json"
    hidden = pytester.path / ".hidden" / "__baselines__" / "old.json"
    for path in (deep, hidden):
        add(path, KEY)
    assert pruned(pytester) == [
        "pruned digits_cnn-digits on cpu fp32 from __baselines__/old.json",
        "pruned digits_cnn-digits on cpu fp32 from deep/__baselines__/gone.json",
    ]
    assert not list(orphan.parent.iterdir())
    assert not deep.exists()
    assert hidden.exists()
    assert pruned(pytester) == ["nothing to prune: every baseline belongs to a launcher file or a test"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-k", "test"], "-k was given; run everything"),
        (["--deselect=nothing"], "--deselect was given; run everything"),
        (["--ignore=nothing"], "--ignore was given; run everything"),
        (["--ignore-glob=nothing"], "--ignore-glob was given; run everything"),
        (["--lf"], "--lf was given; run everything"),
        (["--sw"], "--sw was given; run everything"),
        (["--setup-plan"], "--setup-plan was given; run everything"),
        (["--setup-only"], "--setup-only was given; run everything"),
        (["-m", "slow"], "2 tests were deselected; run everything"),
        (["test_one.py", "test_two.py"], "the arguments leave out *; run everything"),
        (["test_one.py::test_one"], "the arguments leave out *; run everything"),
    ],
)
def test_a_filtered_run_prunes_nothing(pytester, orphan, arguments, reason):
    pytester.makeini("[pytest]\nmarkers = slow\n")
    (line,) = pruned(pytester, *arguments)
    pytest.LineMatcher([line]).fnmatch_lines([f"nothing was pruned: {reason}"])
    assert orphan.exists()


def test_marks_that_deselect_nothing_are_no_filter(pytester, orphan):
    pytester.makeini("[pytest]\nmarkers = slow\naddopts = -m 'not slow'\n")
    assert len(pruned(pytester)) == 1
    assert not orphan.exists()


def test_what_a_conftest_leaves_out_without_a_word_counts(pytester, orphan):
    pytester.makeconftest("def pytest_collection_modifyitems(items): items.pop()")
    assert pruned(pytester) == ["nothing was pruned: 1 test was deselected; run everything"]
    assert orphan.exists()


@pytest.mark.parametrize(("arguments", "count"), [([], 1), (["tests"], 1), (["tests/deep"], 0), (["."], 2)])
def test_a_full_run_is_one_of_all_testpaths(pytester, orphan, arguments, count):
    pytester.makeini("[pytest]\ntestpaths = tests\n")
    (pytester.path / "tests" / "deep").mkdir(parents=True)
    (pytester.path / "tests" / "deep" / "test_deep.py").write_text("def test_deep(): pass")
    inside = pytester.path / "tests" / "__baselines__" / "old.json"
    add(inside, KEY)
    assert sum(line.startswith("pruned") for line in pruned(pytester, *arguments)) == count
    assert inside.exists() == (count == 0)
    assert orphan.exists() == (count < 2)


def test_a_run_that_is_not_green_prunes_nothing(pytester, orphan):
    test = pytester.path / "test_one.py"
    test.write_text("def test_one(): assert False\ndef test_three(): pass")
    assert pruned(pytester) == ["nothing was pruned: the run was not green"]
    assert pruned(pytester, "-x") == ["nothing was pruned: the run was not green"]
    test.write_text("import nothing_of_that_name")
    assert pruned(pytester) == ["nothing was pruned: the run was not green"]
    test.write_text("import pytest\npytest.skip('not here', allow_module_level=True)")
    reason = "test_one.py was skipped as a whole, so that nobody knows its baselines"
    assert pruned(pytester) == [f"nothing was pruned: {reason}"]
    assert pruned(pytester, "--collect-only") == []
    assert orphan.exists()
    assert pytester.runpytest().ret == pytest.ExitCode.OK


def test_a_refused_prune_does_not_fail_the_run(pytester, orphan):
    assert pytester.runpytest("--launcher-prune", "-k", "one").ret == pytest.ExitCode.OK


def test_an_expected_failure_of_an_evaluation_is_not_green(tiny, pytester, orphan):
    tiny.file.write_text(tiny.file.read_text() + "marks: [xfail]\n")
    assert pruned(pytester) == ["nothing was pruned: tiny.launcher.yml::tiny-greys failed"]
    assert orphan.exists()


def test_outcomes_that_no_entry_names_are_deleted(pytester):
    pytester.makepyfile("def test_one(): pass")
    pytester.makeconftest("collect_ignore = ['kept.launcher.yml']")
    (pytester.path / "kept.launcher.yml").touch()
    kept = pytester.path / "__baselines__" / "kept.json"
    add(kept, KEY)
    Store(kept).write([entry(KEY, measured({"top1": hits(357)}))])
    named = set(kept.with_suffix("").iterdir())
    unnamed = [kept.parent / folder / "net-data-cpu-fp32.0123456789abcdef.npz" for folder in ("kept", "bare")]
    for path in unnamed:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert pruned(pytester) == [
        "pruned 1 of the outcomes in __baselines__/bare, which no baseline names",
        "pruned 1 of the outcomes in __baselines__/kept, which no baseline names",
    ]
    # Those of the baseline and of its anchor.
    assert len(named) == 2
    assert set(kept.with_suffix("").iterdir()) == named
    assert not (kept.parent / "bare").exists()


def test_a_file_that_is_no_baseline_is_named_and_left(pytester, orphan):
    damaged = orphan.with_name("damaged.json")
    damaged.write_text("{}")
    first, second = pruned(pytester)
    assert first.startswith(
        "__baselines__/damaged.json was not pruned: __baselines__/damaged.json:1:1: no baseline file"
    )
    assert second == "pruned digits_cnn-digits on cpu fp32 from __baselines__/old.json"
    assert damaged.exists()


@pytest.mark.parametrize("name", ["old.launcher.yml", "old.launcher.yaml", "test_old.py"])
def test_baselines_of_a_file_that_was_not_collected_stay(pytester, name):
    pytester.makepyfile("def test_one(): pass")
    pytester.makeconftest(f"collect_ignore = [{name!r}]")
    (pytester.path / name).touch()
    path = pytester.path / "__baselines__" / f"{name.partition('.')[0]}.json"
    add(path, KEY)
    assert pruned(pytester) == ["nothing to prune: every baseline belongs to a launcher file or a test"]
    (pytester.path / name).unlink()
    assert len(pruned(pytester)) == 1
    assert not path.exists()


def test_only_what_no_launcher_file_has_is_deleted_whatever_the_device(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    kept = Key("tiny", "greys", "", "cuda", "fp16")
    add(tiny.baseline, kept, Key("tiny", "old", "", "cpu", "fp32"), Key("renamed", "greys", "", "cuda", "fp16"))
    assert pruned(pytester) == [
        "pruned renamed-greys on cuda fp16 from __baselines__/tiny.json",
        "pruned tiny-old on cpu fp32 from __baselines__/tiny.json",
    ]
    assert keys(tiny.baseline) == {("tiny", "cpu"), ("tiny", "cuda")}
    tiny.replace("name: tiny\n", "name: other\n")
    lines = pruned(pytester, "--launcher-record")
    assert lines == [
        f"pruned tiny-greys on {place} from __baselines__/tiny.json" for place in ("cpu fp32", "cuda fp16")
    ]
    assert keys(tiny.baseline) == {("other", "cpu")}
    assert len(list(tiny.baseline.with_suffix("").iterdir())) == 1


def test_a_skipped_evaluation_keeps_its_baseline(tiny, pytester):
    add(tiny.baseline, Key("tiny", "greys", "", "cpu", "fp32"), Key("tiny", "old", "", "cpu", "fp32"))
    (pytester.path / "val.txt").unlink()
    result = pytester.runpytest("--launcher-prune")
    result.assert_outcomes(skipped=1)
    assert {key.dataset for key in Store(tiny.baseline).keys()} == {"greys"}  # noqa: SIM118


def test_a_launcher_that_is_not_run_here_keeps_its_baseline(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    tiny.replace("framework: pytorch", "framework: openvino")
    assert pruned(pytester) == ["nothing to prune: every baseline belongs to a launcher file or a test"]
    tiny.replace("name: greys", "name: others")
    assert pruned(pytester) == ["pruned tiny-greys on cpu fp32 from __baselines__/tiny.json"]


def test_entries_of_tests_stay_while_the_tests_use_them(tiny, pytester):
    test = pytester.path / "test_own.py"
    test.write_text(FIXTURE_TEST)
    pytester.runpytest("--launcher-record").assert_outcomes(passed=2)
    assert pruned(pytester) == ["nothing to prune: every baseline belongs to a launcher file or a test"]
    test.write_text(FIXTURE_TEST.replace("def test_own", "@pytest.mark.skip\ndef test_own"))
    reason = "test_own.py::test_own uses torch_launcher and did not run, so that nobody knows its baselines"
    assert pruned(pytester) == [f"nothing was pruned: {reason}"]
    assert keys(tiny.baseline) == {("tiny", "cpu"), ("own", "cpu")}
    test.unlink()
    assert pruned(pytester) == ["pruned own-greys on cpu fp32 from __baselines__/tiny.json"]


def test_entries_of_a_mapping_stay_while_the_test_uses_them(tiny, pytester):
    mapping = f"import yaml\nCONTENT = yaml.safe_load({tiny.file.read_text()!r})\n"
    call = "def test_own(torch_launcher):\n    torch_launcher(CONTENT, baseline='own').check()\n"
    pytester.makepyfile(test_content=mapping + call)
    tiny.file.unlink()
    path = pytester.path / "__baselines__" / "test_content.json"
    add(path, KEY)
    assert pruned(pytester, "--launcher-record") == [
        "pruned digits_cnn-digits on cpu fp32 from __baselines__/test_content.json"
    ]
    assert keys(path) == {("own", "cpu")}


@pytest.mark.parametrize(
    "body",
    [
        "(torch_launcher):\n    pass",
        "(request):\n    pytest.skip()\n    request.getfixturevalue('torch_launcher')",
    ],
    ids=["checks nothing", "skipped"],
)
def test_baselines_of_tests_that_did_not_use_them_stay(pytester, body):
    test = pytester.makepyfile(test_quiet=f"import pytest\n\ndef test_own{body}\n\ndef test_two(): pass\n")
    path = pytester.path / "__baselines__" / "test_quiet.json"
    add(path, KEY)
    assert pruned(pytester) == ["nothing to prune: every baseline belongs to a launcher file or a test"]
    test.write_text("def test_two(): pass\n")
    assert len(pruned(pytester)) == 1


def test_workers_tell_the_controller_what_is_there(tiny, pytester, orphan):
    (pytester.path / "test_own.py").write_text(FIXTURE_TEST)
    pytester.runpytest("--launcher-record").assert_outcomes(passed=4)
    lines = pruned(pytester, "-n2", *LIGHT, run=pytester.runpytest_subprocess)
    assert lines == ["pruned digits_cnn-digits on cpu fp32 from __baselines__/old.json"]
    assert keys(tiny.baseline) == {("tiny", "cpu"), ("own", "cpu")}


@pytest.mark.parametrize(
    ("conftest", "reason"),
    [
        ("def pytest_collection_modifyitems(items): items.pop()", "1 test was deselected; run everything"),
        (
            "import pytest\n@pytest.fixture(autouse=True)\ndef no(torch_launcher): pytest.skip()",
            "test_one.py::test_one uses torch_launcher and did not run, so that nobody knows its baselines",
        ),
    ],
)
def test_workers_tell_the_controller_what_is_not(pytester, orphan, conftest, reason):
    pytester.makeconftest(conftest)
    lines = pruned(pytester, "-n1", *LIGHT, run=pytester.runpytest_subprocess)
    assert lines == [f"nothing was pruned: {reason}"]
    assert orphan.exists()
