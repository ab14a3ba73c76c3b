"""A good loop written by hand for one model: threads, OpenCV, inference mode, channels-last memory, nothing else.

python by_hand.py FOLDER MODEL BATCH
"""

from __future__ import annotations

import itertools
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision

MEAN = np.array([123.675, 116.28, 103.53], dtype=np.float32)
STD = np.array([58.395, 57.12, 57.375], dtype=np.float32)
WORKERS, AHEAD = 2, 4


def image(path: Path) -> np.ndarray:
    """Return the image (224, 224, 3) that the model takes."""
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    pixels = cv2.cvtColor(cv2.resize(pixels, (256, 256)), cv2.COLOR_BGR2RGB)[16:240, 16:240]
    return (pixels - MEAN) / STD


def batch(paths: Sequence[Path]) -> torch.Tensor:
    """Return the batch (B, 3, 224, 224) in channels-last memory."""
    return torch.from_numpy(np.stack([image(path) for path in paths])).permute(0, 3, 1, 2)


def batches(paths: Sequence[Path], size: int) -> Iterator[torch.Tensor]:
    """Yield the batches in order, a few of them made ahead on threads."""
    chunks = iter([paths[start : start + size] for start in range(0, len(paths), size)])
    with ThreadPoolExecutor(WORKERS) as pool:
        ahead = deque(pool.submit(batch, chunk) for chunk in itertools.islice(chunks, AHEAD))
        while ahead:
            yield ahead.popleft().result()
            if chunk := next(chunks, None):
                ahead.append(pool.submit(batch, chunk))


def main(folder: Path, name: str, size: int) -> None:
    """Print top-1 and top-5."""
    lines = [line.split() for line in (folder / "val.txt").read_text().splitlines()]
    labels = torch.tensor([int(label) for _, label in lines])
    cv2.setNumThreads(0)
    model = getattr(torchvision.models, name)()
    model.load_state_dict(torch.load(folder / f"{name}.pt"))
    model.eval().to(memory_format=torch.channels_last)
    hits = torch.zeros(2)
    done = 0
    with torch.inference_mode():
        for images in batches([folder / "images" / file for file, _ in lines], size):
            top = model(images).topk(5).indices == labels[done : done + len(images), None]
            hits += torch.stack([top[:, 0].sum(), top.sum()])
            done += len(images)
    print(*(hits / done).tolist())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
