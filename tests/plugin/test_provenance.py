"""How a model was run stands in the baseline and in the JSON."""

import json
from typing import Any

import pytest
import torch


def _recorded(tiny: Any, pytester: pytest.Pytester) -> dict[str, Any]:
    pytester.runpytest_inprocess("--launcher-record", "--launcher-json=out.json").assert_outcomes(passed=1)
    (evaluation,) = json.loads((tiny.folder / "out.json").read_text())["evaluations"]
    (baseline,) = json.loads(tiny.baseline.read_text())["baselines"]
    assert evaluation["run"] == baseline["run"]
    return baseline


def test_keys_that_differ(tiny: Any, pytester: pytest.Pytester) -> None:
    tiny.replace("    batch: 4\n", "    batch: 4\n    strict: false\n")
    tiny.replace("self.centers =", "self.more = torch.nn.Parameter(torch.zeros(1)); self.centers =", "tiny.py")
    torch.save({"centers": torch.tensor([0.1, 0.5, 0.9]), "old": torch.zeros(2)}, tiny.folder / "tiny.pt")
    run = _recorded(tiny, pytester)["run"]
    assert (run["missing_keys"], run["unexpected_keys"]) == (["more"], ["old"])


def test_batches_that_did_not_fit(tiny: Any, pytester: pytest.Pytester) -> None:
    body = "        if len(image) > 3:\n            raise torch.OutOfMemoryError('no room')\n        assert image"
    tiny.replace("        assert image", body, "tiny.py")
    baseline = _recorded(tiny, pytester)
    assert (baseline["run"]["batch"], baseline["run"]["batch_effective"]) == (4, 2)
    assert baseline["metrics"]["top1"]["value"] == 11 / 12


@pytest.mark.parametrize(("key", "precision"), [("", "fp32"), ("    precision: BF16\n", "bf16")])
def test_precision_is_of_the_key(tiny: Any, pytester: pytest.Pytester, key: str, precision: str) -> None:
    tiny.replace("    batch: 4\n", f"    batch: 4\n{key}")
    tiny.replace(" and image.dtype == torch.float32", "", "tiny.py")
    baseline = _recorded(tiny, pytester)
    assert baseline["key"]["precision"] == baseline["run"]["precision"] == precision
    assert baseline["run"]["deterministic"] is True


def test_inputs_are_of_the_data(tiny: Any, pytester: pytest.Pytester) -> None:
    tiny.replace("    batch: 4\n", "    batch: 4\n    inputs: [{name: image, type: INPUT, shape: '1,4,4'}]\n")
    baseline = _recorded(tiny, pytester)
    assert baseline["data"]["inputs"] == ["image INPUT(shape=[1, 4, 4])"]
    tiny.replace("shape: '1,4,4'", "precision: FP32")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["top1 0.9167, baseline 0.9167*stale baseline, inputs changed:*"])


def test_arguments_of_a_compilation_that_is_not_wanted(tiny: Any, pytester: pytest.Pytester) -> None:
    tiny.replace("    batch: 4\n", "    batch: 4\n    torch_compile_kwargs: {backend: eager}\n")
    result = pytester.runpytest_inprocess("--launcher-record", "-Wdefault")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*torch_compile_kwargs has no effect without use_torch_compile: true"])
