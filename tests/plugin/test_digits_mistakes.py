"""The example project's digits, with the mistakes that people make: each is red, the reason on the first line."""

import shutil
from pathlib import Path

import pytest
import torch

DIGITS = Path(__file__).parents[2] / "example_project" / "digits"


@pytest.fixture
def digits(pytester):
    """Return a copy of the digits with a baseline of this machine, so that its environment is the same."""
    shutil.copytree(
        DIGITS, pytester.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__*", "test_*", "*fixture*")
    )
    pytester.runpytest("--launcher-record").assert_outcomes(passed=1)
    pytester.runpytest().assert_outcomes(passed=1)
    return pytester.path


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def first_line(pytester):
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    (line,) = [line for line in result.outlines if line.startswith("FAILED ")]
    return line.partition(" - ")[2]


def test_transposed_input(digits, pytester):
    replace(digits / "digits_cnn.py", "self.features(image)", "self.features(image.transpose(2, 3))")
    line = first_line(pytester)
    assert line.startswith("top1 0.")
    assert ", baseline 0.9944, delta -0." in line
    assert "(same weights, same environment: nothing may be lost): regressed, " in line
    assert " of 360 samples lost" in line


def test_missing_normalization(digits, pytester):
    replace(digits / "digits.launcher.yml", "{type: normalization, std: 16}", "{type: normalization, std: 1}")
    assert "stale baseline, preprocessing changed: normalization(std=16) → normalization(std=1)" in first_line(pytester)
    replace(digits / "digits.launcher.yml", "    preprocessing:\n", "")
    replace(
        digits / "digits.launcher.yml",
        "      - {type: normalization, std: 1}      # the images hold values from 0 to 16\n",
        "",
    )
    line = first_line(pytester)
    assert ", baseline 0.9944, delta -0." in line
    assert "stale baseline, preprocessing changed: normalization(std=16) → none" in line


def test_wrong_checkpoint(digits, pytester):
    checkpoint = digits / "weights" / "digits_cnn.pt"
    torch.manual_seed(0)
    state = torch.load(checkpoint)
    noisy = {name: value + 0.2 * torch.randn(value.shape) for name, value in state.items() if name.endswith("weight")}
    torch.save({**state, **noisy}, checkpoint)
    line = first_line(pytester)
    assert ", baseline 0.9944, delta -0." in line
    assert "(other weights: 0.5 points allowed): regressed, " in line


def test_another_models_checkpoint(digits, pytester):
    torch.save(torch.nn.Linear(2, 3).state_dict(), digits / "weights" / "digits_cnn.pt")
    line = first_line(pytester)
    assert line.startswith("digits.launcher.yml:6:17: checkpoint: ")


def test_shuffled_labels(digits, pytester):
    labels = digits / "data" / "val.txt"
    rows = [row.split() for row in labels.read_text().splitlines()]
    shifted = rows[7:] + rows[:7]
    labels.write_text("".join(f"{name} {label}\n" for (name, _), (_, label) in zip(rows, shifted, strict=True)))
    line = first_line(pytester)
    assert ", baseline 0.9944, delta -0." in line
    assert "stale baseline, annotations changed: " in line


def test_fewer_samples(digits, pytester):
    labels = digits / "data" / "val.txt"
    labels.write_text("".join(labels.read_text().splitlines(keepends=True)[:350]))
    assert "stale baseline, samples 360 → 350" in first_line(pytester)


def test_nan_outputs(digits, pytester):
    replace(digits / "digits_cnn.py", "        return {", "        logits = logits * float('nan')\n        return {")
    assert first_line(pytester) == "top1 nan, baseline 0.9944: output NaN from 0000.png on"


def test_a_metric_gone_from_the_file(digits, pytester):
    replace(digits / "digits.launcher.yml", "      - {type: accuracy, name: top3, top_k: 3}\n", "")
    assert "top3 of the baseline (1.0000) is no longer measured" in first_line(pytester)
