"""Sixteen noisy images of coloured ellipses with their masks, and an LRASPP whose last layer is fitted to them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image

COLORS = np.array([[70, 70, 75], [200, 60, 50], [60, 180, 70], [60, 80, 210], [210, 200, 80]])
NAMES = ("bg", "red", "green", "blue", "yellow")
MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


def make(folder: Path) -> None:
    for name in ("images", "masks", "color_masks"):
        (folder / name).mkdir()
    rng = np.random.default_rng(4)
    for index in range(16):
        mask = _ellipses(rng)
        image = COLORS[mask] + rng.normal(0, 30, (*mask.shape, 3)) + rng.normal(0, 30, 3)
        framed = mask.copy()
        framed[:2] = 255  # a border that does not count
        for kind, pixels in (("images", np.clip(image, 0, 255)), ("masks", framed), ("color_masks", COLORS[mask])):
            Image.fromarray(pixels.astype(np.uint8)).save(folder / kind / f"{index:02d}.png")
    meta = {
        "label_map": dict(enumerate(NAMES)),
        "background_label": "0",
        "segmentation_colors": COLORS.tolist(),
        "prediction_to_gt_labels": {label: label for label in range(5)},
    }
    (folder / "meta.json").write_text(json.dumps(meta))
    state = _fitted(folder)
    torch.save(state, folder / "lraspp.pth")
    torch.save({f"net.{name}": values for name, values in state.items()}, folder / "lraspp_wrapped.pth")


def _ellipses(rng: np.random.Generator) -> np.ndarray:
    h, w = int(rng.integers(96, 150)), int(rng.integers(96, 150))
    mask = np.zeros((h, w), np.uint8)
    y, x = np.mgrid[0:h, 0:w]
    for _ in range(5):
        label = int(rng.integers(1, 5))
        cy, cx = rng.uniform(0, h), rng.uniform(0, w)
        a, b = rng.uniform(0.12, 0.3, 2) * (h, w)
        mask[((y - cy) / a) ** 2 + ((x - cx) / b) ** 2 < 1] = label
    return mask


def _fitted(folder: Path) -> dict[str, torch.Tensor]:
    """Return the state of a seeded LRASPP whose low classifier is a ridge regression on the features of stride 8."""
    torch.manual_seed(0)
    net = torchvision.models.segmentation.lraspp_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=5
    ).eval()
    with torch.inference_mode():
        rows = [_features(net, folder, index) for index in range(16)]
        features = np.concatenate([values for values, _ in rows])
        targets = np.eye(5)[np.concatenate([labels for _, labels in rows])]
        mean = features.mean(0)
        moments = (features - mean).T @ (features - mean) + 1e-3 * np.eye(features.shape[1])
        weights = np.linalg.solve(moments, (features - mean).T @ (targets - targets.mean(0)))
        low, high = net.classifier.low_classifier, net.classifier.high_classifier
        low.weight.copy_(torch.from_numpy(weights.T[:, :, None, None]))
        low.bias.copy_(torch.from_numpy(targets.mean(0) - mean @ weights))
        high.weight.zero_()
        high.bias.zero_()
    return net.state_dict()


def _features(net: torch.nn.Module, folder: Path, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the features (N, C) of an image and the classes (N,) of their centres, without the border."""
    with Image.open(folder / "images" / f"{index:02d}.png") as image:
        pixels = np.asarray(image.resize((128, 128), Image.Resampling.BILINEAR), np.float32)
    with Image.open(folder / "masks" / f"{index:02d}.png") as image:
        mask = np.asarray(image.resize((128, 128), Image.Resampling.NEAREST))[4::8, 4::8].reshape(-1)
    values = torch.from_numpy(((pixels - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32))
    found = net.backbone(values)["low"][0]
    found = found.permute(1, 2, 0).reshape(-1, found.shape[0]).double().numpy()
    return found[mask != 255], mask[mask != 255]
