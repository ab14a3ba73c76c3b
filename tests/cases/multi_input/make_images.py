"""Sixty seeded images of stripes whose hue, direction and frequency say their class, and labels for three modules."""

from pathlib import Path

import numpy as np
from PIL import Image
from striped_images import striped

CLASSES = 8


def make(folder: Path) -> None:
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(12)
    names = [f"img_{index:04d}.png" for index in range(60)]
    for name in names:
        label = int(rng.integers(CLASSES))
        height, width = int(rng.integers(100, 200)), int(rng.integers(100, 200))
        Image.fromarray(striped(rng, label, (height, width), CLASSES, noise=30)).save(folder / "images" / name)
        rng.random()
    lines: dict[str, list[str]] = {"infos": [], "processed": [], "twoviews": []}
    for name in names:
        for kind, value in _scores(Image.open(folder / "images" / name)).items():
            label = round(value) % CLASSES if rng.random() < 0.8 else int(rng.integers(CLASSES))
            lines[kind].append(f"{name} {label}\n")
    for kind, text in lines.items():
        (folder / f"val_{kind}.txt").write_text("".join(text))


def _scores(image: Image.Image) -> dict[str, float]:
    """Return what the three modules compute, but for the labels that are wrong on purpose."""
    pixels = np.asarray(image, float)
    height, width = pixels.shape[:2]
    red, blue = pixels[..., 0].mean(), pixels[..., 2].mean()
    centre = np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR), float)[8:56, 16:48, 2].mean()
    return {
        "infos": blue * 0.02 + red * 0.013 + height / 7 + 560 / width + 2,
        "processed": centre / 16,
        "twoviews": (red - 10) / 40,
    }
