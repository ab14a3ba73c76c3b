"""Make three synthetic pictures with labels of ImageNet's 1,000 classes.

    python make_images.py

They show that the pipeline runs; what a network says of them is no measure of its accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

DATA = Path(__file__).parent / "data"
SEED = 0

Picture = npt.NDArray[np.uint8]
Pattern = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], npt.NDArray[np.bool_]]


def main() -> None:
    """Write ``data/images`` and ``data/val.txt``."""
    (DATA / "images").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    # crossword puzzle, theater curtain and spotlight; wide, tall and square
    patterns: list[tuple[int, tuple[int, int], Pattern]] = [
        (918, (280, 360), lambda y, x: (y // 40 + x // 40) % 2 == 0),
        (854, (360, 280), lambda y, x: x // 14 % 2 == 0),
        (818, (300, 300), lambda y, x: (y - 150) ** 2 + (x - 150) ** 2 < 80**2),
    ]
    lines = []
    for index, (label, size, pattern) in enumerate(patterns):
        name = f"{index}.png"
        Image.fromarray(two_colored(pattern, size, rng)).save(DATA / "images" / name)
        lines.append(f"{name} {label}\n")
    (DATA / "val.txt").write_text("".join(lines))


def two_colored(pattern: Pattern, size: tuple[int, int], rng: np.random.Generator) -> Picture:
    """Return a picture (H, W, 3) of `size` (H, W) in two random colours, one where `pattern` holds."""
    dark, light = rng.integers(0, 96, 3), rng.integers(160, 256, 3)
    return np.where(pattern(*np.indices(size))[..., None], light, dark).astype(np.uint8)


if __name__ == "__main__":
    main()
