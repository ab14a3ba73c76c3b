"""Launcher files as pytest items: ids, selection, marks, fixtures, failures."""

import gc
import json
import subprocess
import sys
from unittest.mock import ANY

import pytest

FIXTURE_FILE = """\
name: net
launchers: [{framework: pytorch, module: tiny.Tiny, python_path: ., checkpoint: tiny.pt, adapter: classification}]
datasets: [{name: given, fixture: greys, metrics: [accuracy]}]
"""

GREYS = """
import numpy as np
import pytest

@pytest.fixture(scope=%r)
def greys():
    yield [(np.full((4, 4), value, np.float32), label) for label, value in enumerate((0.1, 0.5, 0.9))]
"""


def ids(result):
    return [line for line in result.outlines if "::" in line]


def test_one_item_an_evaluation(tiny, pytester):
    result = pytester.runpytest("--collect-only", "-q")
    assert ids(result) == ["tiny.launcher.yml::tiny-greys"]


def test_yaml_suffix_and_other_files(tiny, pytester):
    tiny.file.rename(pytester.path / "tiny.launcher.yaml")
    (pytester.path / "other.yml").write_text("a: 1\n")
    assert ids(pytester.runpytest("--collect-only", "-q")) == ["tiny.launcher.yaml::tiny-greys"]


def test_record_then_check(tiny, pytester):
    recorded = pytester.runpytest("--launcher-record")
    recorded.assert_outcomes(passed=1)
    recorded.stdout.fnmatch_lines(["*launcher evaluations*", "recorded *tiny-greys *top1 *0.9167"])
    checked = pytester.runpytest()
    checked.assert_outcomes(passed=1)
    checked.stdout.fnmatch_lines(["1 passed; -v lists it"])


def test_missing_baseline_fails_with_the_value_and_the_command(tiny, pytester):
    result = pytester.runpytest("--launcher-json=out.json")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["FAILED tiny.launcher.yml::tiny-greys - top1 0.9167, no baseline *--launcher-record*"])
    (evaluation,) = json.loads((pytester.path / "out.json").read_text())["evaluations"]
    assert evaluation["status"] == "missing_baseline"
    assert evaluation["metrics"][0]["value"] == pytest.approx(11 / 12)
    assert not tiny.baseline.exists()


def test_a_regression_is_told_on_the_first_line_above_the_table(tiny, pytester):
    pytester.runpytest("--launcher-record")
    tiny.save_centers(0.5, 0.1, 0.9)
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "top1 0.4167, baseline 0.9167, delta -0.5000 (other weights: 8.33 points allowed): regressed, 7 of 12 *",
            "",
            "*metric*baseline*measured*delta*allowed*verdict*",
            "*top1*0.9167*0.4167*-0.5000*0.0833*regressed*",
            "*FAILED tiny.launcher.yml::tiny-greys - top1 0.4167, baseline 0.9167, delta -0.5000*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "pytest_torchlauncher" not in "".join(result.stdout.lines[5:])


def test_selection_by_keyword_mark_and_tag(tiny, pytester):
    tiny.replace("batch: 4", "batch: 4\n    tags: [FP32]")
    (pytester.path / "test_plain.py").write_text("def test_plain(): pass\n")
    for arguments, expected in {
        ("-k", "greys"): 1,
        ("-k", "nothing"): 0,
        ("-m", "launcher"): 1,
        ("-m", "FP32"): 1,
        ("-m", "not launcher"): 1,
        ("--strict-markers",): 2,
        ("tiny.launcher.yml::tiny-greys",): 1,
    }.items():
        assert len(ids(pytester.runpytest("--collect-only", "-q", *arguments))) == expected, arguments


def test_marks_of_the_file(tiny, pytester):
    pytester.makeini("[pytest]\nmarkers =\n    slow: takes long\n")
    tiny.file.write_text(
        tiny.file.read_text() + "marks: [slow, {skipif: 'sys.version_info > (3,)', reason: too new}]\n"
    )
    result = pytester.runpytest("-rs", "-m", "slow", "--strict-markers", "--launcher-json=out.json")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["skipped  tiny-greys*too new", "SKIPPED * tiny.launcher.yml:18: too new"])
    (evaluation,) = json.loads((pytester.path / "out.json").read_text())["evaluations"]
    assert (evaluation["status"], evaluation["message"], evaluation["metrics"]) == ("skipped", "too new", [])


def test_an_unknown_mark_warns_or_fails_at_its_place(tiny, pytester):
    tiny.file.write_text(tiny.file.read_text() + "marks: [slwo]\n")
    pytester.runpytest("--collect-only", "-W", "default").stdout.fnmatch_lines(
        ["*tiny.launcher.yml:18: PytestUnknownMarkWarning: *slwo*"]
    )
    strict = pytester.runpytest("--strict-markers")
    strict.assert_outcomes(failed=1)
    strict.stdout.fnmatch_lines(["*tiny.launcher.yml:18:9: marks: 'slwo' not found in `markers`*"])


@pytest.mark.parametrize(("strict", "outcome"), [("true", {"failed": 1}), ("false", {"xpassed": 1})])
def test_expected_failures(tiny, pytester, strict, outcome):
    pytester.runpytest("--launcher-record")
    tiny.file.write_text(tiny.file.read_text() + f"marks: [{{xfail: 'True', reason: known, strict: {strict}}}]\n")
    pytester.runpytest().assert_outcomes(**outcome)
    tiny.save_centers(0.5, 0.1, 0.9)
    pytester.runpytest().assert_outcomes(xfailed=1)


def test_a_schema_error_is_one_failing_item_and_other_files_run(tiny, pytester):
    pytester.runpytest("--launcher-record")
    (pytester.path / "broken.launcher.yml").write_text("name: x\nlauncher: []\nmodels: 3\n")
    (pytester.path / "syntax.launcher.yml").write_text("name: [\n")
    result = pytester.runpytest("--launcher-json=out.json")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "broken.launcher.yml:1:1: name: stands beside 'models'; move it into a model",
            "broken.launcher.yml:2:1: launcher: unknown key; did you mean 'launchers'?",
            "broken.launcher.yml:3:9: models: a list with at least one entry expected",
            "FAILED broken.launcher.yml::configuration - broken.launcher.yml:1:1: name: stands *",
            "FAILED syntax.launcher.yml::configuration - syntax.launcher.yml:2:1: not YAML: *",
        ]
    )
    statuses = [e["status"] for e in json.loads((pytester.path / "out.json").read_text())["evaluations"]]
    assert statuses == ["error", "error", "pass"]


def test_other_frameworks_are_skipped_by_name(tiny, pytester):
    tiny.replace("datasets:", "  - {framework: onnx_runtime, model: a.onnx, adapter: yolo_v3}\ndatasets:")
    tiny.replace("batch: 4", "batch: 4\n    tags: torch")
    result = pytester.runpytest("-rs", "--launcher-record")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*framework 'onnx_runtime' is not run here, only 'pytorch'"])
    assert ids(pytester.runpytest("--collect-only", "-q")) == [
        "tiny.launcher.yml::tiny-greys-torch",
        "tiny.launcher.yml::tiny-greys-onnx_runtime",
    ]


def test_last_failed_stepwise_and_exitfirst(tiny, pytester):
    pytester.runpytest("--launcher-record")
    other = (
        tiny.file.read_text().replace("name: tiny", "name: bad").replace("checkpoint: tiny.pt", "checkpoint: none.pt")
    )
    (pytester.path / "bad.launcher.yml").write_text(other)
    pytester.runpytest().assert_outcomes(passed=1, failed=1)
    last = pytester.runpytest("--lf", "-v")
    last.assert_outcomes(failed=1)
    last.stdout.fnmatch_lines(["*bad.launcher.yml::bad-greys FAILED*"])
    pytester.runpytest("-x").assert_outcomes(failed=1)
    pytester.runpytest("--sw").assert_outcomes(failed=1)
    stepped = pytester.runpytest("--sw")
    stepped.assert_outcomes(failed=1)
    assert "not found" not in stepped.stdout.str()


@pytest.mark.parametrize("scope", ["function", "module", "package", "session"])
def test_a_dataset_can_be_a_fixture_of_any_scope(tiny, pytester, scope):
    pytester.makeconftest(GREYS % scope)
    tiny.file.write_text(FIXTURE_FILE)
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    pytester.runpytest("-v").stdout.fnmatch_lines(["pass *net-given *accuracy *1.0000 *1.0000 *+0.0000"])


def test_autouse_fixtures_run_for_items(tiny, pytester):
    pytester.makeconftest(
        "import pytest\n"
        "@pytest.fixture(autouse=True)\n"
        "def around(request, tmp_path):\n"
        "    print('before', request.node.name)\n"
        "    yield\n"
        "    print('after', request.node.name)\n"
    )
    result = pytester.runpytest("-s", "--launcher-record")
    result.stdout.fnmatch_lines(["*before tiny-greys", "*after tiny-greys"])


def test_fixture_problems_are_one_sentence(tiny, pytester):
    tiny.file.write_text(FIXTURE_FILE)
    missing = pytester.runpytest()
    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(
        ["tiny.launcher.yml:3:35: fixture: no fixture is called 'greys'; define it in a conftest.py"]
    )
    pytester.makeconftest(GREYS.replace("(scope=%r)", "(params=[1])"))
    pytester.runpytest().stdout.fnmatch_lines(
        ["tiny.launcher.yml:3:35: fixture: 'greys' is parametrised, and a launcher file cannot choose a parameter; *"]
    )


def test_missing_data_skips_unless_it_is_required(tiny, pytester):
    (pytester.path / "images").rename(pytester.path / "elsewhere")
    result = pytester.runpytest("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*: data_source: *images is not there"])
    for arguments in (["--launcher-require-data"], ["-o", "launcher_require_data=true"]):
        pytester.runpytest(*arguments).assert_outcomes(failed=1)


def test_a_missing_device_skips_unless_it_is_required(tiny, pytester):
    tiny.replace("batch: 4", "batch: 4\n    device: CUDA:77")
    result = pytester.runpytest("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*cuda:77*not on this machine*"])
    for arguments in (["--launcher-require-device"], ["-o", "launcher_require_device=true"]):
        pytester.runpytest(*arguments).assert_outcomes(failed=1)


def test_an_exception_of_the_users_module_shows_the_users_frames_only(tiny, pytester):
    tiny.replace("assert image.shape", "raise RuntimeError('no luck')\n        assert image.shape", "tiny.py")
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["tiny.launcher.yml:4:13: module: *RuntimeError: no luck*", "*tiny.py*, in forward", "*raise RuntimeError*"]
    )
    assert "pytest_torchlauncher/" not in result.stdout.str()


def test_options_of_the_plugin(tiny, pytester):
    both = pytester.runpytest("--launcher-record", "--launcher-update")
    assert both.ret == pytest.ExitCode.USAGE_ERROR
    both.stderr.fnmatch_lines(["ERROR: --launcher-record and --launcher-update exclude each other; give one"])
    pytester.runpytest("--launcher-reason=x").stderr.fnmatch_lines(
        ["ERROR: --launcher-reason belongs to --launcher-update; give both"]
    )


def test_a_json_that_cannot_be_written_is_told_and_leaves_nothing(tiny, pytester):
    (pytester.path / "out").mkdir()
    before = sorted(path.name for path in pytester.path.iterdir())
    result = pytester.runpytest("--launcher-json=out", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["--launcher-json was not written: *"])
    left = {path.name for path in pytester.path.iterdir()} - set(before)
    assert not [name for name in left if name.endswith(".tmp")]
    folder = pytester.runpytest("--launcher-data-dir=none")
    folder.stderr.fnmatch_lines(["ERROR: --launcher-data-dir: *none is no folder; correct the path"])
    margin = pytester.runpytest("-o", "launcher_margin=lots")
    margin.stderr.fnmatch_lines(
        ["ERROR: ini launcher_margin: 'lots' found, a number of at least 0 or a percentage expected"]
    )


@pytest.mark.parametrize("way", ["option", "ini", "environment"])
def test_data_and_definitions_by_option_ini_and_environment(tiny, pytester, monkeypatch, way):
    root = pytester.mkdir("root")
    (pytester.path / "images").rename(root / "images")
    (root / "definitions.yml").write_text("launchers: [{framework: pytorch, checkpoint: tiny.pt}]\n")
    tiny.replace("    checkpoint: tiny.pt\n", "")
    arguments = []
    if way == "option":
        arguments = ["--launcher-data-dir=root", "--launcher-definitions=root/definitions.yml"]
    elif way == "ini":
        pytester.makeini("[pytest]\nlauncher_data_dir = root\nlauncher_definitions = root/definitions.yml\n")
    else:
        monkeypatch.setenv("DATA_DIR", str(root))
        monkeypatch.setenv("DEFINITIONS_FILE", "root/definitions.yml")
    # A definition's paths are relative to the definitions file.
    (pytester.path / "tiny.pt").rename(root / "tiny.pt")
    pytester.runpytest("--launcher-record", *arguments).assert_outcomes(passed=1)


def test_margin_by_ini(tiny, pytester):
    pytester.runpytest("--launcher-record")
    tiny.save_centers(0.5, 0.1, 0.9)
    pytester.runpytest("-o", "launcher_margin=0.6").assert_outcomes(passed=1)
    pytester.runpytest("-o", "launcher_margin=50%").assert_outcomes(failed=1)


def test_json_has_the_documented_form(tiny, pytester):
    pytester.runpytest("--launcher-record")
    pytester.runpytest("-o", "launcher_json=deep/out.json")
    report = json.loads((pytester.path / "deep" / "out.json").read_text())
    assert list(report) == ["schema", "environment", "evaluations"]
    assert report["schema"] == 1
    assert report["environment"]["device"] == "cpu"
    (evaluation,) = report["evaluations"]
    assert evaluation["id"] == "tiny.launcher.yml::tiny-greys"
    assert (evaluation["model"], evaluation["dataset"], evaluation["device"]) == ("tiny", "greys", "cpu")
    assert (evaluation["samples"], evaluation["status"], evaluation["line"]) == (12, "pass", 10)
    assert set(evaluation["seconds"]) == {"build", "data", "forward", "metrics", "total"}
    assert evaluation["metrics"] == [
        {
            "name": "top1",
            "type": "accuracy",
            "value": 11 / 12,
            "components": {},
            "higher_is_better": True,
            "baseline": 11 / 12,
            "delta": 0.0,
            "allowed": 0.0,
            "verdict": "pass",
            "checks": [
                {
                    "against": "baseline",
                    "verdict": "pass",
                    "baseline": 11 / 12,
                    "allowed": 0.0,
                    "lower": None,
                    "upper": None,
                    "p_value": None,
                    "detectable": ANY,
                    "reason": "top1 0.9167, baseline 0.9167, delta +0.0000 "
                    "(same weights, same environment: nothing may be lost): pass",
                }
            ],
        }
    ]


def test_silent_where_there_is_no_launcher_file(pytester):
    pytester.makepyfile("def test_plain(): pass")
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    assert "launcher evaluations" not in result.stdout.str()


def test_without_the_plugin(tiny, pytester):
    (pytester.path / "test_plain.py").write_text("def test_plain(): pass\n")
    result = pytester.runpytest_subprocess("-p", "no:torchlauncher")
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("project", "options", "absent"),
    [
        ("plain", "--launcher-record", "torch torchvision cv2 numpy pydantic"),
        ("tiny", "--launcher-device=cpu,cuda", "torch torchvision cv2"),
    ],
)
def test_collecting_imports_nothing_heavy(pytester, request, project, options, absent):
    if project == "tiny":
        request.getfixturevalue("tiny")
    (pytester.path / "test_plain.py").write_text("def test_plain(): pass\n")
    code = (
        "import sys, pytest\n"
        "status = pytest.main(['--collect-only', '-q', '-p', 'no:randomly', '-p', 'no:hypothesispytest', "
        f"{options!r}])\n"
        f"print('LOADED', *[name for name in '{absent}'.split() if name in sys.modules])\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=pytester.path)
    assert "LOADED\n" in done.stdout
    assert ("tiny-greys" in done.stdout) == (project == "tiny")


@pytest.mark.parametrize(("on_improve", "outcome"), [("pass", "passed"), ("warn", "passed"), ("fail", "failed")])
def test_an_improvement_passes_warns_or_fails(tiny, pytester, on_improve, outcome):
    tiny.save_centers(0.5, 0.1, 0.9)
    pytester.runpytest("--launcher-record")
    tiny.save_centers(0.1, 0.5, 0.9)
    tiny.file.write_text(tiny.file.read_text() + f"gate: {{on_improve: {on_improve}}}\n")
    result = pytester.runpytest("-W", "default")
    result.assert_outcomes(**{outcome: 1}, warnings=int(on_improve == "warn"))
    result.stdout.fnmatch_lines(["improved *tiny-greys *top1 *0.4167 *0.9167 *+0.5000"])
    if on_improve == "warn":
        result.stdout.fnmatch_lines(["*tiny.launcher.yml:10: AccuracyImprovedWarning: top1 0.9167, baseline 0.4167*"])


def test_warnings_that_the_project_makes_errors_are_one_sentence(tiny, pytester):
    tiny.save_centers(0.5, 0.1, 0.9)
    pytester.runpytest("--launcher-record")
    tiny.save_centers(0.1, 0.5, 0.9)
    text = tiny.file.read_text()
    for addition, line in {
        "gate: {on_improve: warn}": "top1 0.9167, baseline 0.4167, delta +0.5000 *improved*",
        "marks: [slwo]": "tiny.launcher.yml:18:9: marks: Unknown pytest.mark.slwo *",
    }.items():
        tiny.file.write_text(f"{text}{addition}\n")
        result = pytester.runpytest("-W", "error")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines([f"FAILED * - {line}"])
    tiny.file.write_text(text.replace("batch: 4", "batch: 4\n    num_requests: 4"))
    result = pytester.runpytest("-W", "error")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["FAILED * - tiny.launcher.yml:8:5: launchers?0?.num_requests: has no effect here"])


def test_variables_of_other_tools_stop_no_run_without_launcher_files(pytester, monkeypatch):
    monkeypatch.setenv("DATA_DIR", "/nowhere")
    pytester.makepyfile("def test_plain(): pass")
    pytester.runpytest().assert_outcomes(passed=1)


def test_a_variable_is_named_where_it_is_wrong(tiny, pytester, monkeypatch):
    monkeypatch.setenv("DATA_DIR", "/nowhere")
    result = pytester.runpytest()
    assert result.ret != pytest.ExitCode.OK
    text = result.stdout.str() + result.stderr.str()
    assert "environment variable DATA_DIR: /nowhere is no folder; correct the path" in text


def test_a_skip_points_at_the_launcher_file(tiny, pytester):
    (pytester.path / "images").rename(pytester.path / "elsewhere")
    pytester.runpytest("-rs").stdout.fnmatch_lines(["SKIPPED * tiny.launcher.yml:10: *data_source: *"])


METRICS = """
from dataclasses import dataclass
from pytest_torchlauncher import Metric, MetricValue, register

@register("test_items_{kind}")
@dataclass(frozen=True)
class Custom(Metric):
    'A metric with a defect.'

    def observe(self, annotations, predictions):
        return {observe}

    def summarize(self, evidence, meta):
        return {summarize}
"""


@pytest.mark.parametrize(
    ("kind", "observe", "summarize", "message"),
    [
        ("raises", "[1 / 0]", "MetricValue(1.0)", "raised ZeroDivisionError: division by zero"),
        ("short", "[1.0]", "MetricValue(1.0)", "evidence of 1 samples for 4; one a sample expected"),
        ("bare", "[1.0] * len(annotations)", "0.5", "gave a float; a MetricValue with a number expected"),
        (
            "shape",
            "[1.0] * len(annotations)",
            "MetricValue(0.5, per_sample=[1.0])",
            "per_sample has shape (1,); (12,), one a sample, expected",
        ),
    ],
)
def test_a_metric_with_a_defect_is_one_sentence(tiny, pytester, kind, observe, summarize, message):
    pytester.makeconftest(METRICS.format(kind=kind, observe=observe, summarize=summarize))
    tiny.replace("type: accuracy", f"type: test_items_{kind}")
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    assert f" - tiny.launcher.yml:17:9: top1: {message}" in result.stdout.str()
    assert "pytest_torchlauncher/" not in result.stdout.str()


def test_garbage_is_collected_again_once_files_are(tiny, pytester):
    pytester.makeconftest("import gc\n\ndef pytest_runtest_setup(item):\n    assert gc.isenabled()\n")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    (pytester.path / "bad.launcher.yml").write_text("a: [")
    pytester.runpytest()
    assert gc.isenabled()
