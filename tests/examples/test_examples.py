"""The example project: the same numbers whatever the batch, and AlexNet as its users have it."""

import json
import shutil
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

from pytest_torchlauncher.launcher.launcher import Launcher

EXAMPLES = Path(__file__).parents[2] / "example_project"
FILES = sorted(path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("*.launcher.yml"))
WEIGHTS = "alexnet-owt-7be5be79.pth"
BATCHES = (1, 3, 16, 64)

TEST = """
import pytest


@pytest.mark.parametrize("batch", [1, 3, 16, 64])
def test_batch(torch_launcher, batch, results):
    measured = torch_launcher({file!r}, batch=batch).evaluate()
    results[batch] = {{name: metric.value for name, metric in measured.metrics.items()}}
    assert measured.run.batch == measured.run.batch_effective == batch
"""


@pytest.fixture(scope="module")
def torch_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with AlexNet's weights, which are random here."""
    folder = tmp_path_factory.mktemp("torch_home")
    checkpoints = folder / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    torch.manual_seed(7)
    torch.save(torchvision.models.alexnet().state_dict(), checkpoints / WEIGHTS)
    return folder


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    shutil.copytree(EXAMPLES, pytester.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return pytester.path


@pytest.mark.parametrize("file", FILES, ids=str)
def test_batches_give_the_same_numbers(
    file: Path, project: Path, pytester: pytest.Pytester, torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(torch_home))
    outputs: list[list[Any]] = []
    results: dict[int, dict[str, float]] = {}
    predict = Launcher.predict

    def recorded(self: Launcher, batch: Any) -> Any:
        found = predict(self, batch)
        outputs[-1].append(found.by_sample())
        return found

    class Plugin:
        @pytest.fixture
        def results(self) -> dict[int, dict[str, float]]:
            outputs.append([])
            return results

    monkeypatch.setattr(Launcher, "predict", recorded)
    (project / file.parent / "test_batch.py").write_text(TEST.format(file=file.name))
    pytester.runpytest_inprocess(str(file.parent / "test_batch.py"), plugins=[Plugin()]).assert_outcomes(passed=4)
    assert list(results) == list(BATCHES)
    assert [len(part[0]) for part in outputs][:2] == [1, 3]
    assert all(values == results[1] for values in results.values())
    whole = [list(chain.from_iterable(part)) for part in outputs]
    for found in whole[1:]:
        for one, expected in zip(found, whole[0], strict=True):
            np.testing.assert_allclose(one, expected, rtol=1e-5, atol=1e-5)


def test_alexnet_runs_offline_with_its_weights_in_the_cache(
    project: Path, pytester: pytest.Pytester, torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(torch_home))
    result = pytester.runpytest_inprocess("alexnet", "--launcher-record", "--launcher-json=out.json")
    result.assert_outcomes(passed=1)
    (evaluation,) = json.loads((pytester.path / "out.json").read_text())["evaluations"]
    assert evaluation["status"] == "recorded"
    assert evaluation["device"] == "cpu"
    measured = {metric["name"]: metric["value"] for metric in evaluation["metrics"]}
    assert measured == _by_hand(project / "alexnet" / "data")


def _by_hand(data: Path) -> dict[str, float]:
    """Return the accuracy of the seeded network by torchvision and numpy alone."""
    import cv2

    torch.manual_seed(7)
    model = torchvision.models.alexnet().eval()
    hits = {"top1": 0, "top5": 0}
    lines = (data / "val.txt").read_text().split("\n")[:-1]
    for line in lines:
        name, label = line.split()
        image = cv2.imread(str(data / "images" / name)).astype(np.float32)
        height, width, _ = image.shape
        scale = 256 / min(height, width)
        image = cv2.resize(image, (round(width * scale), round(height * scale)))
        top, left = (image.shape[0] - 224) // 2, (image.shape[1] - 224) // 2
        image = image[top : top + 224, left : left + 224, ::-1]
        image = (image - (123.675, 116.28, 103.53)) / (58.395, 57.12, 57.375)
        with torch.inference_mode():
            scores = model(torch.tensor(image.transpose(2, 0, 1)[None], dtype=torch.float32))[0]
        ranked = scores.argsort(descending=True).tolist()
        hits["top1"] += ranked[0] == int(label)
        hits["top5"] += int(label) in ranked[:5]
    return {name: count / len(lines) for name, count in hits.items()}


def test_alexnet_without_weights_or_network_is_one_sentence(
    project: Path, pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    # No request can leave this machine: the proxy's port is closed.
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    path = project / "alexnet" / "alexnet.launcher.yml"
    text = path.read_text()
    path.write_text(text[: text.index("marks:")])
    result = pytester.runpytest_inprocess("alexnet", "-p", "no:warnings")
    result.assert_outcomes(failed=1)
    line = text[: text.index("module:")].count("\n") + 1
    start = f"alexnet/alexnet.launcher.yml:{line}:13: module: torchvision.models.alexnet(...)"
    (failure,) = [text for text in result.outlines if text.startswith(start)]
    assert f"https://download.pytorch.org/models/{WEIGHTS}" in failure
    assert str(tmp_path / "cache" / "hub" / "checkpoints" / WEIGHTS) in failure
    output = result.stdout.str()
    assert "Traceback" not in output
    assert "torch/hub.py" not in output
