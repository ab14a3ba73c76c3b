"""Make the example's data and weights from scikit-learn's copy of the UCI handwritten digits.

    python make_digits.py        (needs scikit-learn; takes seconds)

Of the 1,797 images of 8×8 pixels, 1,437 train the network and 360 are held out, stratified by digit. Nothing here is
random: a rerun with the same packages and processor writes the same bytes.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from digits_cnn import DigitsCNN
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.nn.functional import cross_entropy

HERE = Path(__file__).parent
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SEED = 0
EPOCHS = 15
BATCH = 32


def main() -> None:
    """Write ``data/`` and ``weights/``, and say how good the network is."""
    images, labels = load_digits(return_X_y=True)
    pixels = images.reshape(-1, 8, 8).astype(np.uint8)
    train_x, test_x, train_y, test_y = train_test_split(
        pixels, labels, test_size=360, random_state=SEED, stratify=labels
    )
    write_data(HERE / "data", test_x, test_y)
    model = trained(as_input(train_x), torch.from_numpy(train_y))
    (HERE / "weights").mkdir(exist_ok=True)
    torch.save(model.state_dict(), HERE / "weights" / "digits_cnn.pt")
    with torch.inference_mode():
        right = model(as_input(test_x)).argmax(1) == torch.from_numpy(test_y)
    print(f"{int(right.sum())} of {len(right)} right: {right.double().mean():.4f}")


def write_data(folder: Path, images: Sequence[npt.NDArray[np.uint8]], labels: Sequence[int]) -> None:
    """Write the images as ``images/0000.png`` …, their labels as ``val.txt`` and the classes as ``labels.txt``."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "images").mkdir(parents=True)
    lines = [f"{index:04}.png {label}\n" for index, label in enumerate(labels)]
    for line, image in zip(lines, images, strict=True):
        (folder / "images" / line.split()[0]).write_bytes(png(image))
    (folder / "val.txt").write_text("".join(lines))
    (folder / "labels.txt").write_text("".join(f"n{index:02} {name}\n" for index, name in enumerate(NAMES)))


def png(image: npt.NDArray[np.uint8]) -> bytes:
    """Return a gray image (H, W) as PNG, uncompressed: a library's bytes would depend on its version of zlib."""
    height, width = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file: length, name, content and checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def as_input(images: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Return images (N, 8, 8) of values from 0 to 16 as the network's input (N, 1, 8, 8) from 0 to 1."""
    return torch.from_numpy(images).float().unsqueeze(1) / 16


def trained(images: torch.Tensor, labels: torch.Tensor) -> DigitsCNN:
    """Return a network trained on `images` (N, 1, 8, 8) and `labels` (N,)."""
    # With several threads the order of additions, and so the last bits, could differ from run to run.
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    model = DigitsCNN()
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
    return model.eval()


if __name__ == "__main__":
    main()
