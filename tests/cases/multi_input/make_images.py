"""Sixty seeded images of stripes whose hue, direction and frequency say their class, and labels for three modules."""

import colorsys
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = 8


def make(folder: Path) -> None:
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(12)
    names = [f"img_{index:04d}.png" for index in range(60)]
    for name in names:
        label = int(rng.integers(CLASSES))
        height, width = int(rng.integers(100, 200)), int(rng.integers(100, 200))
        Image.fromarray(_image(rng, label, height, width)).save(folder / "images" / name)
        rng.random()
    lines: dict[str, list[str]] = {"infos": [], "processed": [], "twoviews": []}
    for name in names:
        for kind, value in _scores(Image.open(folder / "images" / name)).items():
            label = round(value) % CLASSES if rng.random() < 0.8 else int(rng.integers(CLASSES))
            lines[kind].append(f"{name} {label}\n")
    for kind, text in lines.items():
        (folder / f"val_{kind}.txt").write_text("".join(text))


def _image(rng: np.random.Generator, label: int, height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = np.pi * label / CLASSES + rng.normal(0, 0.06)
    frequency = (3 + label % 5) * 2 * np.pi / max(height, width) * rng.uniform(0.9, 1.1)
    stripe = 0.5 + 0.5 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * frequency + rng.uniform(0, 6.28))
    light = np.array(colorsys.hsv_to_rgb((label / CLASSES + rng.normal(0, 0.03)) % 1, 0.65, 0.85)) * 255
    dark = np.array(colorsys.hsv_to_rgb((label / CLASSES + 0.33 + rng.normal(0, 0.05)) % 1, 0.5, 0.35)) * 255
    image = stripe[..., None] * light + (1 - stripe[..., None]) * dark
    for _ in range(4):
        cy, cx = rng.uniform(0, height), rng.uniform(0, width)
        radius = rng.uniform(0.05, 0.2) * min(height, width)
        image[(y - cy) ** 2 + (x - cx) ** 2 < radius * radius] = rng.uniform(0, 255, 3)
    noise = rng.normal(0, 30, (height // 4 + 1, width // 4 + 1, 3)).repeat(4, 0).repeat(4, 1)
    return np.clip(image + noise[:height, :width], 0, 255).astype(np.uint8)


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
