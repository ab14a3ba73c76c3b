"""What the comparison runs on: JPEGs, labels, weights, launcher files, a synthetic dataset; all in one folder.

images/ val.txt <model>.pt               for every side
batch16/<model>/ batch1/<model>/         a launcher file a model; batch16/ as a whole is the suite
cache/<model>/                           the same in projects of their own, each with a cache of its own
accuracy_checker/<model>.yml             the same for the Accuracy Checker
memory/few/ memory/many/                 a dataset that a fixture makes, a small one and a large one
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import indent

import cv2
import numpy as np

MODELS = (
    "resnet18",
    "mobilenet_v3_small",
    "mobilenet_v2",
    "squeezenet1_1",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "efficientnet_b0",
    "regnet_y_400mf",
)
IMAGES = 400
FEW, MANY = 400, 40_000

LAUNCHER = """\
launchers:
  - framework: pytorch
    module: {module}
    checkpoint: {folder}/{model}.pt
    batch: {batch}
    adapter: classification
datasets:
  - name: jpegs
    data_source: {folder}/images
    annotation_conversion: {{converter: imagenet, annotation_file: {folder}/val.txt}}
    preprocessing:
      - {{type: resize, size: 256}}
      - {{type: crop, size: 224}}
      - {{type: bgr_to_rgb}}
      - {{type: normalization, mean: "123.675, 116.28, 103.53", std: "58.395, 57.12, 57.375"}}
    metrics: [{{type: accuracy, name: top1}}, {{type: accuracy, name: top5, top_k: 5}}]
"""

# The Accuracy Checker takes a tensor for a list of outputs and measures the first image of each batch alone.
LISTED = """\
import torchvision


def __getattr__(name):
    def listed():
        model = getattr(torchvision.models, name)()
        forward = model.forward
        model.forward = lambda images: [forward(images)]
        return model

    return listed
"""

MEMORY_LAUNCHER = """\
launchers:
  - {framework: pytorch, module: tiny.Tiny, python_path: ., batch: 64, adapter: classification}
datasets:
  - name: noise
    fixture: noise
    preprocessing: [{type: normalization, std: 255}]
    metrics: [{type: accuracy, name: top1}, {type: accuracy, name: top5, top_k: 5}]
"""

MEMORY_CONFTEST = """\
import numpy as np
import pytest


class Noise:
    def __len__(self):
        return COUNT

    def __getitem__(self, index):
        return np.random.default_rng(index).integers(0, 256, (32, 32, 3), dtype=np.uint8), index % 10


@pytest.fixture(scope="session")
def noise():
    return Noise()
"""

MEMORY_MODULE = """\
import torch


class Tiny(torch.nn.Sequential):
    def __init__(self):
        super().__init__(torch.nn.Conv2d(3, 10, 4, 4), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
"""


def make(folder: Path) -> None:
    """Make everything in `folder`, seeded.

    Raises:
        subprocess.CalledProcessError: the weights could not be made.
    """
    make_images(folder / "images")
    # A process of its own, so that this one stays small beside those whose memory is measured.
    subprocess.run([sys.executable, Path(__file__).with_name("weights.py"), folder, *MODELS], check=True)
    make_project(folder)
    for model in MODELS:
        for batch in (1, 16):
            make_launcher(folder, folder / f"batch{batch}" / model, model, batch)
        make_launcher(folder, folder / "cache" / model, model, 16)
        make_project(folder / "cache" / model)
    make_checker(folder, folder / "accuracy_checker")
    make_memory(folder / "memory" / "few", FEW)
    make_memory(folder / "memory" / "many", MANY)


def make_images(folder: Path) -> None:
    """Write JPEGs of about 500x375 and 60 kB: a smooth scene, texture, and the noise of a camera."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(IMAGES):
        height, width = int(rng.integers(360, 391)), int(rng.integers(480, 521))
        scene = rng.integers(0, 256, (9, 12, 3)).astype(np.float32)
        texture = rng.integers(-40, 41, (height // 6, width // 6, 3)).astype(np.float32)
        pixels = sum(cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC) for part in (scene, texture))
        pixels = pixels + rng.normal(0, 6, (height, width, 3))
        file = str(folder / f"{index:05}.jpg")
        cv2.imwrite(file, np.clip(pixels, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])


def make_project(folder: Path) -> None:
    """Make `folder` a root of pytest, whatever lies above."""
    (folder / "pytest.ini").write_text("[pytest]\n")


def make_launcher(root: Path, folder: Path, model: str, batch: int) -> None:
    """Write the launcher file of `model` into `folder`."""
    folder.mkdir(parents=True)
    text = LAUNCHER.format(folder=root, module=f"torchvision.models.{model}", model=model, batch=batch)
    (folder / f"{model}.launcher.yml").write_text(text)


def make_checker(root: Path, folder: Path) -> None:
    """Write the files of the Accuracy Checker: the same, one level deeper, the module's output in a list."""
    folder.mkdir()
    (folder / "listed.py").write_text(LISTED)
    for model in MODELS:
        text = LAUNCHER.format(folder=root, module=f"listed.{model}\n    python_path: {folder}", model=model, batch=16)
        (folder / f"{model}.yml").write_text(f"models:\n  - name: {model}\n{indent(text, '    ')}")


def make_memory(folder: Path, count: int) -> None:
    """Write a project whose dataset is `count` images (32, 32, 3) uint8, each made when it is asked for."""
    folder.mkdir(parents=True)
    (folder / "memory.launcher.yml").write_text(MEMORY_LAUNCHER)
    (folder / "conftest.py").write_text(MEMORY_CONFTEST.replace("COUNT", str(count)))
    (folder / "tiny.py").write_text(MEMORY_MODULE)
