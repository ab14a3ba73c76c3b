"""The usual loop: a `Dataset`, a `DataLoader` with worker processes, and torchmetrics.

python dataloader.py FOLDER MODEL BATCH
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision
from torch.utils.data import DataLoader, Dataset
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy

MEAN = np.array([123.675, 116.28, 103.53], dtype=np.float32)
STD = np.array([58.395, 57.12, 57.375], dtype=np.float32)
CLASSES, WORKERS = 1000, 2


class Images(Dataset[tuple[torch.Tensor, int]]):
    """Images (3, 224, 224) float32 and their labels, as `val.txt` lists them."""

    def __init__(self, folder: Path) -> None:
        self._lines = [line.split() for line in (folder / "val.txt").read_text().splitlines()]
        self._folder = folder / "images"

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        name, label = self._lines[index]
        pixels = cv2.resize(cv2.imread(str(self._folder / name)), (256, 256))
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)[16:240, 16:240]
        return torch.from_numpy((pixels - MEAN) / STD).permute(2, 0, 1), int(label)


def main(folder: Path, name: str, size: int) -> None:
    """Print top-1 and top-5."""
    model = getattr(torchvision.models, name)()
    model.load_state_dict(torch.load(folder / f"{name}.pt"))
    model.eval()
    accuracies = {f"top{k}": MulticlassAccuracy(CLASSES, top_k=k, average="micro") for k in (1, 5)}
    metrics = MetricCollection(accuracies, compute_groups=False)
    with torch.inference_mode():
        for images, labels in DataLoader(Images(folder), size, num_workers=WORKERS):
            metrics.update(model(images), labels)
    values = metrics.compute()
    print(values["top1"].item(), values["top5"].item())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
