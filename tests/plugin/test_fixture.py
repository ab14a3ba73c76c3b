"""``torch_launcher`` from plain test functions."""

import pytest

PREAMBLE = "import pytest\nimport torch\n\n"


def run(pytester, body, *arguments, **outcomes):
    (pytester.path / "test_net.py").write_text(PREAMBLE + body)
    result = pytester.runpytest("test_net.py", *arguments)
    result.assert_outcomes(**outcomes)
    return result


def test_predict_evaluate_and_check(tiny, pytester):
    pytester.runpytest("--launcher-record")
    run(
        pytester,
        """
def test_net(torch_launcher):
    launcher = torch_launcher("tiny.launcher.yml")
    outputs = launcher.predict(torch.full((2, 1, 4, 4), 0.9))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {"output": (2, 3)}
    assert outputs["output"].argmax(1).tolist() == [2, 2]
    result = launcher.evaluate()
    assert result.metrics["top1"].value == pytest.approx(11 / 12)
    assert result.outcomes.ids[0] == "00.png"
    launcher.check()
""",
        passed=1,
    )


def test_check_fails_with_the_reason_first(tiny, pytester):
    pytester.runpytest("--launcher-record")
    tiny.save_centers(0.9, 0.5, 0.1)
    result = run(pytester, "def test_net(torch_launcher):\n    torch_launcher('tiny.launcher.yml').check()\n", failed=1)
    result.stdout.fnmatch_lines(
        ["regressed*tiny-greys*", "FAILED test_net.py::test_net - *top1 0.3333, baseline 0.9167, delta -0.5833*"]
    )


def test_overrides_are_launcher_keys(tiny, pytester):
    tiny.save_centers(0.9, 0.5, 0.1)
    torch_save = "torch.save({'centers': torch.tensor((0.1, 0.5, 0.9))}, 'good.pt')"
    run(
        pytester,
        f"""
def test_net(torch_launcher):
    {torch_save}
    result = torch_launcher("tiny.launcher.yml", checkpoint="good.pt", batch=12).evaluate()
    assert result.metrics["top1"].value == pytest.approx(11 / 12)
    assert result.run.batch == 12

def test_wrong(torch_launcher):
    torch_launcher("tiny.launcher.yml", chekpoint="good.pt")
""",
        passed=1,
        failed=1,
    ).stdout.fnmatch_lines(["E*launchers?0?.chekpoint: unknown key; did you mean 'checkpoint'?"])


MAPPING = """
FILE = {
    "name": "net",
    "launchers": [{"framework": "pytorch", "module": "tiny.Tiny", "python_path": ".", "adapter": "classification"}],
    "datasets": [{"name": "given", "fixture": "greys", "metrics": ["accuracy"]}],
}

@pytest.fixture
def greys():
    return [(torch.full((1, 4, 4), value), label) for label, value in enumerate((0.1, 0.5, 0.9))]

"""


def test_a_mapping_with_a_baseline_of_its_own(tiny, pytester):
    body = MAPPING + 'def test_net(torch_launcher):\n    torch_launcher(FILE, baseline="grey net").check()\n'
    run(pytester, body, failed=1).stdout.fnmatch_lines(["*no baseline*--launcher-record*"])
    run(pytester, body, "--launcher-record", passed=1)
    assert "grey net" in (pytester.path / "__baselines__" / "test_net.json").read_text()
    run(pytester, body, passed=1)


def test_a_mapping_without_baseline_cannot_be_checked(tiny, pytester):
    body = MAPPING + "def test_net(torch_launcher):\n    torch_launcher(FILE).check()\n"
    run(pytester, body, failed=1).stdout.fnmatch_lines(
        ["E*a mapping has no baseline of its own; name one: *baseline=*"]
    )


def test_a_mappings_problems_are_placed_at_the_call(tiny, pytester):
    body = "def test_net(torch_launcher):\n    torch_launcher({'name': 'x', 'launchers': 3})\n"
    result = run(pytester, body, failed=1)
    result.stdout.fnmatch_lines(["E*test_net.py:5:1: launchers: a list with at least one entry expected"])
    assert "pytest_torchlauncher/" not in result.stdout.str()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (None, "name: there are 2 evaluations; choose one of tiny-greys, tiny-other"),
        ("tiny-othr", "name: no evaluation is called 'tiny-othr'; did you mean 'tiny-other'?"),
        ("zzz", "name: no evaluation is called 'zzz'; there are tiny-greys, tiny-other"),
        ("tiny", "name: 2 evaluations are called 'tiny'; there are tiny-greys, tiny-other"),
        ("tiny-other", None),
    ],
)
def test_choosing_an_evaluation(tiny, pytester, name, message):
    tiny.file.write_text(tiny.file.read_text() + "  - {name: other, fixture: greys, metrics: [accuracy]}\n")
    body = f"def test_net(torch_launcher):\n    torch_launcher('tiny.launcher.yml', name={name!r})\n"
    if message is None:
        run(pytester, body, passed=1)
    else:
        run(pytester, body, failed=1).stdout.fnmatch_lines([f"E*test_net.py:5:1: {message}"])


def test_a_mapping_whose_metrics_are_published_needs_no_baseline(tiny, pytester):
    content = f"import yaml\nCONTENT = yaml.safe_load({tiny.file.read_text()!r})\n"
    test = "def test_own(torch_launcher):\n    torch_launcher(CONTENT).check()\n"
    published = "CONTENT['datasets'][0]['metrics'][0] |= {'reference': %s, 'abs_threshold': 0.001}\n"
    pytester.makepyfile(test_own=content + test)
    message = "a mapping has no baseline of its own; name one: *"
    pytester.runpytest("test_own.py").stdout.fnmatch_lines([f"*{message}"])
    pytester.makepyfile(test_own=content + published % 0.9167 + test)
    pytester.runpytest("test_own.py", "--launcher-record").assert_outcomes(passed=1)
    pytester.makepyfile(test_own=content + published % 0.95 + test)
    result = pytester.runpytest("test_own.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*top1 0.9167, reference 0.9500, *worse than the reference*"])
    assert "candidate" not in result.stdout.str()


@pytest.mark.parametrize("option", ["--launcher-record", "--launcher-update"])
def test_two_checks_never_share_an_entry(tiny, pytester, option):
    if option == "--launcher-update":
        pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    before = tiny.baseline.read_text() if tiny.baseline.exists() else None
    tiny.save_centers(0.1, 0.5, 0.7)
    (pytester.path / "tiny.pt").rename(pytester.path / "other.pt")
    tiny.save_centers(0.1, 0.5, 0.9)
    pytester.makepyfile(
        test_own="def test_own(torch_launcher):\n"
        "    torch_launcher('tiny.launcher.yml', checkpoint='other.pt').check()\n"
    )
    result = pytester.runpytest(option, *(["--launcher-reason=x"] if before else []))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*measured different baselines under one key; give one of them a baseline of its own"])
    assert (tiny.baseline.read_text() if tiny.baseline.exists() else None) == before


def test_the_short_summary_has_room_for_the_reason(tiny, pytester, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    pytester.makepyfile(test_own="def test_own(torch_launcher):\n    torch_launcher('tiny.launcher.yml').check()\n")
    result = pytester.runpytest("test_own.py")
    result.stdout.fnmatch_lines(["FAILED test_own.py::test_own - top1 0.9167, no baseline *"])


def test_a_limit_counts_for_values_too(tiny, pytester):
    pytester.makepyfile(
        test_own="def test_own(torch_launcher):\n"
        "    measured = torch_launcher('tiny.launcher.yml').evaluate()\n"
        "    assert measured.data.count == 6 and measured.is_subset\n"
    )
    pytester.runpytest("test_own.py", "--launcher-limit=50%").assert_outcomes(passed=1)


def test_missing_data_skips_the_test(tiny, pytester):
    (pytester.path / "images").rename(pytester.path / "elsewhere")
    for method in ("evaluate", "check"):
        body = f"def test_net(torch_launcher):\n    torch_launcher('tiny.launcher.yml').{method}()\n"
        run(pytester, body, skipped=1)
        run(pytester, body, "--launcher-require-data", failed=1)


def test_a_missing_file(tiny, pytester):
    body = "def test_net(torch_launcher):\n    torch_launcher('none.launcher.yml')\n"
    run(pytester, body, failed=1).stdout.fnmatch_lines(
        ["E*none.launcher.yml:1:1: cannot be read: No such file or directory"]
    )


def test_the_users_own_exception_shows_their_frames(tiny, pytester):
    tiny.replace("assert image.shape", "raise RuntimeError('no luck')\n        assert image.shape", "tiny.py")
    body = "def test_net(torch_launcher):\n    torch_launcher('tiny.launcher.yml').predict(torch.zeros(1, 1, 4, 4))\n"
    result = run(pytester, body, failed=1)
    result.stdout.fnmatch_lines(["*tiny.py*RuntimeError", "E*tiny.launcher.yml:4:13: module: *RuntimeError: no luck*"])
    assert "pytest_torchlauncher/" not in result.stdout.str()


def test_path_is_relative_to_the_tests_file(tiny, pytester):
    folder = pytester.mkdir("deep")
    (folder / "test_deep.py").write_text(
        "def test_net(torch_launcher):\n    assert torch_launcher('../tiny.launcher.yml').evaluate().data.count == 12\n"
    )
    pytester.runpytest("deep").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("5", "source 5 found, the path of a launcher file or its content as a mapping expected"),
        ("'tiny.launcher.yml', baseline=3", "baseline 3 found, a name expected"),
        ("'tiny.launcher.yml', name=['a']", "name ['a'] found, the name of a model or evaluation expected"),
        ("'nowhere.launcher.yml'", "nowhere.launcher.yml"),
    ],
)
def test_a_call_that_cannot_be_meant_gets_one_sentence(tiny, pytester, call, found):
    pytester.makepyfile(test_own=f"def test_own(torch_launcher):\n    torch_launcher({call}).check()\n")
    result = pytester.runpytest("test_own.py")
    result.assert_outcomes(failed=1)
    (line,) = [line for line in result.outlines if line.startswith("FAILED ")]
    assert found in line
    assert "TypeError" not in line
