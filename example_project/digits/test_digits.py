"""The launcher file's model and baseline, used from plain test functions."""

from __future__ import annotations

import torch

from pytest_torchlauncher import TorchLauncher


def test_prediction(torch_launcher: TorchLauncher):
    launcher = torch_launcher("digits.launcher.yml")
    outputs = launcher.predict(torch.zeros(2, 1, 8, 8))
    assert outputs["output"].shape == (2, 10)


def test_accuracy(torch_launcher: TorchLauncher):
    launcher = torch_launcher("digits.launcher.yml", batch=16)
    assert launcher.evaluate().metrics["top1"].value > 0.98


def test_baseline(torch_launcher: TorchLauncher):
    torch_launcher("digits.launcher.yml").check()
