"""Trains both networks on shapes drawn as they train: seeded, about two minutes on two cores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from make_shapes import draw
from shapes_nets import STRIDE, ShapeDetector, ShapeSegmenter
from torch import nn

SIDE, BATCH, STEPS = 64, 32, 400
WEIGHTS = Path(__file__).parent / "weights"
Drawn = tuple[torch.Tensor, torch.Tensor, list[list[tuple[int, np.ndarray]]]]


def batch(rng: np.random.Generator) -> Drawn:
    """Return images (B, 3, 64, 64), classes (B, 64, 64), and labels with boxes (x0, y0, x1, y1) of each image."""
    images, masks, objects = [], [], []
    for _ in range(BATCH):
        image, mask, shapes = draw(rng)
        scale = np.array([SIDE / mask.shape[1], SIDE / mask.shape[0]] * 2)
        images.append(cv2.resize(image, (SIDE, SIDE)).transpose(2, 0, 1) / 255)
        masks.append(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST))
        objects.append([(label, np.array([x, y, x + w, y + h]) * scale) for label, (x, y, w, h) in shapes])
    return torch.tensor(np.array(images), dtype=torch.float32), torch.tensor(np.array(masks)).long(), objects


def detection_loss(net: ShapeDetector, drawn: Drawn) -> torch.Tensor:
    """Return the loss of shape or not, class, offset and size."""
    images, _, objects = drawn
    cells = net.raw(images)
    wanted = torch.zeros(cells.shape[:3])
    losses = []
    for index, shapes in enumerate(objects):
        for label, (x0, y0, x1, y1) in shapes:
            x, y = (x0 + x1) / 2 / STRIDE, (y0 + y1) / 2 / STRIDE
            cell = cells[index, int(y), int(x)]
            wanted[index, int(y), int(x)] = 1
            place = torch.tensor([x % 1, y % 1, np.log((x1 - x0) / STRIDE), np.log((y1 - y0) / STRIDE)])
            losses.append(nn.functional.cross_entropy(cell[None, 1:-4], torch.tensor([label - 1])))
            losses.append(5 * nn.functional.smooth_l1_loss(cell[-4:], place.float(), beta=0.1))
    found = nn.functional.binary_cross_entropy_with_logits(cells[..., 0], wanted, reduction="sum")
    return (found + torch.stack(losses).sum()) / BATCH


def segmentation_loss(net: ShapeSegmenter, drawn: Drawn) -> torch.Tensor:
    """Return the cross entropy over all pixels."""
    images, masks, _ = drawn
    return nn.functional.cross_entropy(net(images)["out"], masks)


def train(net: nn.Module, loss_of: Callable[[nn.Module, Drawn], torch.Tensor], name: str) -> None:
    """Train `net` and save its state as ``weights/<name>.pt``."""
    rng = np.random.default_rng(1)
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, STEPS)
    net.train()
    for step in range(STEPS):
        loss = loss_of(net, batch(rng))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(name, step, round(float(loss), 4))
    torch.save(net.eval().state_dict(), WEIGHTS / f"{name}.pt")


def main() -> None:
    """Train and save both."""
    WEIGHTS.mkdir(exist_ok=True)
    torch.manual_seed(0)
    train(ShapeDetector(), detection_loss, "detector")
    train(ShapeSegmenter(), segmentation_loss, "segmenter")


if __name__ == "__main__":
    main()
