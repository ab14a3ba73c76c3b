"""Launchers on several devices: items, options, baselines and the fixture."""

import json

import pytest
import torch

from pytest_torchlauncher.launcher import launcher

BOTH = ["tiny.launcher.yml::tiny-greys-cpu", "tiny.launcher.yml::tiny-greys-cuda"]


@pytest.fixture
def both(tiny):
    tiny.replace("batch: 4", "batch: 4\n    device: [CPU, GPU]")
    return tiny


@pytest.fixture
def cuda(monkeypatch):
    """Let the CPU stand in for CUDA."""
    monkeypatch.setattr(launcher, "select_device", lambda name, where: torch.device("cpu"))


@pytest.fixture
def no_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)


def collected(pytester, *arguments):
    items, _ = pytester.inline_genitems(*arguments)
    return {item.nodeid: item.entry.evaluation.launcher.device for item in items}


def selected(pytester, *arguments):
    return [line for line in pytester.runpytest("--collect-only", "-q", *arguments).outlines if "::" in line]


def stored(tiny):
    return [entry["key"]["device"] for entry in json.loads(tiny.baseline.read_text())["baselines"]]


def test_one_item_a_device(both, pytester):
    assert collected(pytester) == dict(zip(BOTH, ("cpu", "cuda"), strict=True))
    assert selected(pytester, "-k", "cuda") == BOTH[1:]
    assert selected(pytester, BOTH[0]) == BOTH[:1]


def test_ids_have_tags_then_devices(both, pytester):
    both.replace("device: [CPU, GPU]", "device: cpu,cuda:1\n    tags: [FP32]")
    other = "  - {framework: pytorch, module: tiny.Tiny, python_path: ., adapter: classification, tags: [b]}\ndatasets:"
    both.replace("datasets:", other)
    items = [f"tiny.launcher.yml::tiny-greys-{suffix}" for suffix in ("FP32-cpu", "FP32-cuda:1", "b")]
    assert selected(pytester) == items
    assert selected(pytester, "-m", "FP32") == items[:2]
    assert selected(pytester, items[1]) == items[1:2]


def test_each_device_has_a_baseline_of_its_own(both, pytester, cuda):
    pytester.runpytest("--launcher-record").assert_outcomes(passed=2)
    assert stored(both) == ["cpu", "cuda"]
    result = pytester.runpytest("--launcher-json=out.json")
    result.assert_outcomes(passed=2)
    evaluations = json.loads((pytester.path / "out.json").read_text())["evaluations"]
    assert [(e["id"], e["device"], e["status"]) for e in evaluations] == [
        (BOTH[0], "cpu", "pass"),
        (BOTH[1], "cuda", "pass"),
    ]


def test_an_absent_device_is_skipped_beside_one_that_passes(both, pytester, no_cuda):
    result = pytester.runpytest("-rs", "--launcher-record")
    result.assert_outcomes(passed=1, skipped=1)
    message = "tiny.launcher.yml:8:19: device 'cuda' is not on this machine (it has no cuda device)"
    result.stdout.fnmatch_lines([f"SKIPPED*{message}"])
    assert stored(both) == ["cpu"]
    pytester.runpytest("--launcher-require-device").assert_outcomes(passed=1, failed=1)


def test_the_option_goes_before_the_file_before_the_ini_value(tiny, pytester):
    pytester.makeini("[pytest]\nlauncher_device = CPU, mps\n")
    assert list(collected(pytester).values()) == ["cpu", "mps"]
    tiny.replace("batch: 4", "batch: 4\n    device: [cpu, cuda]")
    assert list(collected(pytester).values()) == ["cpu", "cuda"]
    assert collected(pytester, "--launcher-device=GPU:1") == {"tiny.launcher.yml::tiny-greys": "cuda:1"}
    assert list(collected(pytester, "--launcher-device=cpu,xpu").values()) == ["cpu", "xpu"]
    assert list(collected(pytester, "-o", "launcher_device=mps", "--launcher-device=").values()) == ["cpu", "cuda"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("gpuu", "unknown device 'gpuu'; did you mean 'gpu'?"),
        ("banana", "unknown device 'banana'; there are cpu, cuda (or gpu), cuda:1, mps and xpu"),
        ("cpu,", "unknown device ''; there are cpu, cuda (or gpu), cuda:1, mps and xpu"),
        ("cuda,cpu,GPU", "cuda is named twice; name it once"),
        ("cuda:0,cuda:1", "cuda:0 and cuda:1 both have the baseline of cuda; name one"),
    ],
)
def test_wrong_devices_of_options(pytester, value, message):
    option = pytester.runpytest(f"--launcher-device={value}")
    ini = pytester.runpytest("-o", f"launcher_device={value}")
    assert (option.ret, option.stderr.lines[0]) == (4, f"ERROR: --launcher-device: {message}")
    assert (ini.ret, ini.stderr.lines[0]) == (4, f"ERROR: ini launcher_device: {message}")


def test_wrong_devices_of_a_file_fail_at_their_place(both, pytester):
    both.replace("[CPU, GPU]", "[CUDA, GPU]")
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["tiny.launcher.yml:8:20: launchers?0?.device?1?: cuda is named twice; name it once"])


FIXTURE = """
def devices(launcher):
    return launcher._evaluation.launcher.device

def test_override(torch_launcher):
    assert devices(torch_launcher("tiny.launcher.yml", device="MPS")) == "mps"
    assert devices(torch_launcher("tiny.launcher.yml", device=["cpu", "xpu"], name="tiny-greys-xpu")) == "xpu"

def test_name(torch_launcher):
    launcher = torch_launcher("tiny.launcher.yml", name="tiny-greys-cpu")
    assert devices(launcher) == "cpu"
    launcher.check()

def test_no_name(torch_launcher):
    torch_launcher("tiny.launcher.yml")
"""


def test_devices_of_the_fixture(both, pytester):
    (pytester.path / "test_net.py").write_text(FIXTURE)
    result = pytester.runpytest("test_net.py", "--launcher-record")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E*name: there are 2 evaluations; choose one of tiny-greys-cpu, tiny-greys-cuda"])
    result = pytester.runpytest("test_net.py", "--launcher-device=cuda:1")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E*name: no evaluation is called 'tiny-greys-cpu'; did you mean 'tiny-greys'?"])
