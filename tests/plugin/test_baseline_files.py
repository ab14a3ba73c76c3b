"""Recording, updating and checking through pytest, in one process and under xdist."""

import hashlib
import json
import subprocess
import sys

import pytest


def digest(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "__baselines__").rglob("*"))
        if path.is_file()
    }


def test_recording_twice_writes_identical_bytes(tiny, pytester):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    first = digest(pytester.path)
    assert any(name.endswith(".npz") for name in first)
    assert not any(name.endswith((".tmp", ".lock")) for name in first)
    for path in sorted((pytester.path / "__baselines__").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    assert digest(pytester.path) == first
    pytester.runpytest("--launcher-update").assert_outcomes(passed=1)
    assert digest(pytester.path) == first


def test_two_workers_write_the_same_files_as_none(tiny, pytester):
    text = tiny.file.read_text()
    for name in ("second", "third"):
        (pytester.path / f"{name}.launcher.yml").write_text(text.replace("name: tiny", f"name: {name}"))
    pytester.runpytest_subprocess("--launcher-record", "-p", "no:xdist").assert_outcomes(passed=3)
    alone = digest(pytester.path)
    for path in sorted((pytester.path / "__baselines__").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    shared = pytester.runpytest_subprocess("--launcher-record", "-n2", "--launcher-json=out.json")
    shared.assert_outcomes(passed=3)
    shared.stdout.fnmatch_lines(
        ["recorded *second-greys *top1 *0.9167", "recorded *third-greys *", "recorded *tiny-greys *"]
    )
    assert digest(pytester.path) == alone
    order = [e["model"] for e in json.loads((pytester.path / "out.json").read_text())["evaluations"]]
    assert order == ["second", "third", "tiny"]


def test_failures_under_xdist_say_the_same(tiny, pytester):
    pytester.runpytest("--launcher-record")
    tiny.save_centers(0.9, 0.5, 0.1)
    result = pytester.runpytest_subprocess("-n2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "regressed  tiny-greys*",
            "FAILED tiny.launcher.yml::tiny-greys - top1 0.3333, baseline 0.9167, delta -0.5833 *",
        ]
    )


def test_record_leaves_a_standing_baseline_and_judges_against_it(tiny, pytester):
    pytester.runpytest("--launcher-record")
    before = digest(pytester.path)
    tiny.save_centers(0.9, 0.5, 0.1)
    pytester.runpytest("--launcher-record").assert_outcomes(failed=1)
    assert digest(pytester.path) == before


def test_record_adds_a_metric_that_is_new_in_the_file(tiny, pytester):
    pytester.runpytest("--launcher-record")
    tiny.replace(
        "      - {type: accuracy, name: top1}",
        "      - {type: accuracy, name: top1}\n      - {type: accuracy, name: top2, top_k: 2}",
    )
    pytester.runpytest().assert_outcomes(failed=1)
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    pytester.runpytest().assert_outcomes(passed=1)


def test_record_adds_a_metric_to_the_stored_outcomes_although_others_are_measured(tiny, pytester):
    pytester.runpytest("--launcher-record")
    tiny.replace("batch: 4", "batch: 3")
    tiny.replace("* 100", "* 50", "tiny.py")
    metric = "      - {type: accuracy, name: top1}"
    tiny.replace(metric, f"{metric}\n      - {{type: accuracy, name: top2, top_k: 2}}")
    result = pytester.runpytest("--launcher-record")
    result.assert_outcomes(passed=1)
    assert "not written" not in result.stdout.str()
    pytester.runpytest().assert_outcomes(passed=1)


def test_update_stores_an_improvement(tiny, pytester):
    tiny.save_centers(0.9, 0.5, 0.1)
    pytester.runpytest("--launcher-record")
    tiny.save_centers(0.1, 0.5, 0.9)
    improved = pytester.runpytest()
    improved.assert_outcomes(passed=1)
    improved.stdout.fnmatch_lines(
        ["improved *tiny-greys *top1 *0.3333 *0.9167 *+0.5833", "improved: * pytest --launcher-update"]
    )
    pytester.runpytest("--launcher-update").stdout.fnmatch_lines(["updated *tiny-greys *top1 *0.9167*"])
    pytester.runpytest("-v").stdout.fnmatch_lines(["pass *tiny-greys *top1 *0.9167 *0.9167 *+0.0000"])


def test_update_refuses_to_lower_a_metric_without_a_reason(tiny, pytester):
    pytester.runpytest("--launcher-record")
    before = digest(pytester.path)
    tiny.save_centers(0.9, 0.5, 0.1)
    refused = pytester.runpytest("--launcher-update")
    refused.assert_outcomes(failed=1)
    refused.stdout.fnmatch_lines(
        ["FAILED * - top1 0.3333, baseline 0.9167, delta -0.5833: update refused*--launcher-reason*"]
    )
    assert digest(pytester.path) == before
    pytester.runpytest("--launcher-update", "--launcher-reason=smaller model").assert_outcomes(passed=1)
    assert "smaller model" in tiny.baseline.read_text()
    # That of the anchor stays beside that of the new baseline.
    assert len(list((pytester.path / "__baselines__" / "tiny").glob("*.npz"))) == 2


def test_a_run_never_touches_evaluations_that_it_did_not_run(tiny, pytester):
    text = tiny.file.read_text()
    models = text.replace("name: tiny\n", "").replace("\n", "\n    ").replace("launchers:", "launchers:", 1)
    tiny.file.write_text(f"models:\n  - name: one\n    {models}\n  - name: two\n    {models}\n")
    pytester.runpytest("--launcher-record").assert_outcomes(passed=2)
    before = json.loads(tiny.baseline.read_text())["baselines"]
    tiny.save_centers(0.1, 0.5, 0.8)
    pytester.runpytest("--launcher-update", "-k", "two").assert_outcomes(passed=1, deselected=1)
    after = json.loads(tiny.baseline.read_text())["baselines"]
    assert after[0] == before[0]
    assert after[1] != before[1]


def three_models(tiny):
    text = tiny.file.read_text().replace("name: tiny\n", "").replace("\n", "\n    ")
    tiny.file.write_text("models:\n" + "".join(f"  - name: {name}\n    {text}\n" for name in ("one", "two", "three")))


@pytest.mark.parametrize(
    ("arguments", "touched"),
    [
        (["-n2", "-k", "two"], {"two"}),
        (["--lf"], {"two"}),
        (["-x"], {"one"}),
        (["-k", "one or three"], {"one", "three"}),
    ],
)
def test_update_touches_what_ran_and_nothing_else(tiny, pytester, arguments, touched):
    three_models(tiny)
    pytester.runpytest("--launcher-record").assert_outcomes(passed=3)
    before = {entry["key"]["model"]: entry for entry in json.loads(tiny.baseline.read_text())["baselines"]}
    # The second is made to fail once, for --lf to choose it; under -x it stops the run.
    pytester.makeconftest(
        "import os, pytest\n"
        "def pytest_runtest_call(item):\n"
        "    assert 'two' not in item.name or not os.path.exists('fail')\n"
    )
    (pytester.path / "fail").touch()
    pytester.runpytest("-x" if "-x" in arguments else "-q")
    if "-x" not in arguments:
        (pytester.path / "fail").unlink()
    tiny.save_centers(0.1, 0.5, 0.8)
    run = pytester.runpytest_subprocess if "-n2" in arguments else pytester.runpytest
    run("--launcher-update", *arguments)
    after = {entry["key"]["model"]: entry for entry in json.loads(tiny.baseline.read_text())["baselines"]}
    assert {name for name in before if after[name] != before[name]} == touched


def test_a_damaged_baseline_is_named_and_left(tiny, pytester):
    pytester.runpytest("--launcher-record")
    tiny.baseline.write_text("<<<<<<< ours\n" + tiny.baseline.read_text())
    for arguments in ([], ["--launcher-record"], ["--launcher-update"]):
        result = pytester.runpytest(*arguments)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*tiny.json:1:1: *conflict*"])
    assert tiny.baseline.read_text().startswith("<<<<<<< ours")


def test_a_baseline_that_cannot_be_written_fails_the_run(tiny, pytester):
    (pytester.path / "__baselines__").write_text("in the way")
    result = pytester.runpytest("--launcher-record")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["error *tiny-greys *top1 *", "baselines were not written: *"])


@pytest.mark.parametrize("option", ["--launcher-record", "--launcher-update"])
@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_killing_a_run_while_it_writes_leaves_the_old_baseline_whole(tiny, pytester, option, call):
    old = {}
    if option == "--launcher-update":
        tiny.save_centers(0.9, 0.5, 0.1)
        pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
        old = digest(pytester.path)
        tiny.save_centers(0.1, 0.5, 0.9)
    module = call.partition(".")[0]
    code = (
        f"import {module}, os, signal, sys, pytest\n"
        f"{call} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"pytest.main(['{option}', '-p', 'no:randomly', '-p', 'no:cacheprovider'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=pytester.path)
    assert done.returncode == -9
    left = {name: value for name, value in digest(pytester.path).items() if not name.endswith(".tmp")}
    assert old.items() <= left.items()
    assert left.get("__baselines__/tiny.json") == old.get("__baselines__/tiny.json")
    pytester.runpytest(option).assert_outcomes(passed=1)
    assert not list((pytester.path / "__baselines__").rglob("*.tmp"))


def test_a_rerun_leaves_one_record(tiny, pytester):
    pytest.importorskip("pytest_rerunfailures")
    result = pytester.runpytest("--reruns=2", "--launcher-json=out.json")
    result.assert_outcomes(failed=1)
    assert len(json.loads((pytester.path / "out.json").read_text())["evaluations"]) == 1


def test_two_evaluations_of_one_key_that_differ_are_not_written(tiny, pytester):
    tiny.save_centers(0.9, 0.5, 0.1)
    (pytester.path / "tiny.pt").rename(pytester.path / "bad.pt")
    tiny.save_centers(0.1, 0.5, 0.9)
    (pytester.path / "test_net.py").write_text(
        "def test_net(torch_launcher):\n    torch_launcher('tiny.launcher.yml', checkpoint='bad.pt').check()\n"
    )
    result = pytester.runpytest("--launcher-record", "--launcher-json=out.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*measured different baselines under one key; give one of them a baseline of its own"])
    assert not tiny.baseline.exists()
    statuses = {e["status"] for e in json.loads((pytester.path / "out.json").read_text())["evaluations"]}
    assert statuses == {"error"}
    text = (pytester.path / "test_net.py").read_text()
    (pytester.path / "test_net.py").write_text(
        text.replace("checkpoint='bad.pt'", "checkpoint='bad.pt', baseline='bad'")
    )
    assert pytester.runpytest("--launcher-record").ret == pytest.ExitCode.OK
    assert pytester.runpytest().ret == pytest.ExitCode.OK


def test_what_cannot_be_written_keeps_nothing_else_back(tiny, pytester):
    folder = pytester.mkdir("other")
    text = tiny.file.read_text()
    for key in ("checkpoint: tiny.pt", "data_source: images", "annotation_file: val.txt"):
        text = text.replace(key, key.replace(": ", ": ../"))
    (folder / "other.launcher.yml").write_text(text.replace("python_path: .", "python_path: .."))
    (folder / "__baselines__").write_text("in the way")
    result = pytester.runpytest("--launcher-record", "--launcher-json=out.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert tiny.baseline.exists()
    statuses = [e["status"] for e in json.loads((pytester.path / "out.json").read_text())["evaluations"]]
    assert sorted(statuses) == ["error", "recorded"]


def test_collecting_leaves_the_results_of_the_last_run(tiny, pytester):
    pytester.runpytest("--launcher-record", "--launcher-json=out.json")
    before = (pytester.path / "out.json").read_text()
    pytester.runpytest("--collect-only", "--launcher-json=out.json")
    assert (pytester.path / "out.json").read_text() == before
