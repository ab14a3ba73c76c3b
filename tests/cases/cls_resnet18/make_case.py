"""Four hundred striped images, 15 % of them labelled at random, and a ResNet-18 whose last layer is fitted to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from striped_images import striped

IMAGES, CLASSES, FITTED = 400, 10, 200
MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


def make(folder: Path) -> None:
    (folder / "images").mkdir()
    rng = np.random.default_rng(1)
    lines, labels = [], []
    for index in range(IMAGES):
        label = int(rng.integers(CLASSES))
        height, width = int(rng.integers(256, 330)), int(rng.integers(256, 330))
        name = f"img_{index:04d}.jpg"
        image = Image.fromarray(striped(rng, label, (height, width), CLASSES, noise=25))
        image.save(folder / "images" / name, quality=92)
        labels.append(label)
        lines.append(f"{name} {label if rng.random() > 0.15 else int(rng.integers(CLASSES))}\n")
    (folder / "val.txt").write_text("".join(lines))
    torch.save(_fitted(folder, labels[:FITTED]), folder / "resnet18.pth")


def _fitted(folder: Path, labels: list[int]) -> dict[str, torch.Tensor]:
    """Return the state of a seeded ResNet-18 whose last layer is a ridge regression on its features."""
    torch.manual_seed(0)
    net = torchvision.models.resnet18(weights=None, num_classes=CLASSES).eval()
    last, net.fc = net.fc, torch.nn.Identity()
    with torch.inference_mode():
        features = np.stack([net(_pixels(folder, index))[0].double().numpy() for index in range(len(labels))])
    mean, std = features.mean(0), features.std(0) + 1e-6
    scaled, targets = (features - mean) / std, np.eye(CLASSES)[labels]
    weights = np.linalg.solve(scaled.T @ scaled + 50 * np.eye(512), scaled.T @ (targets - targets.mean(0)))
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy((weights / std[:, None]).T))
        last.bias.copy_(torch.from_numpy(targets.mean(0) - (mean / std) @ weights))
    net.fc = last
    return net.state_dict()


def _pixels(folder: Path, index: int) -> torch.Tensor:
    with Image.open(folder / "images" / f"img_{index:04d}.jpg") as image:
        resized = image.resize((256, 256), Image.Resampling.BILINEAR).crop((16, 16, 240, 240))
    values = (np.asarray(resized, np.float32) - MEAN) / STD
    return torch.from_numpy(values.transpose(2, 0, 1)[None].astype(np.float32))
