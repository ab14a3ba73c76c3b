"""Images of stripes whose hue, direction and frequency say their class, and which are the same on every machine."""

from __future__ import annotations

import colorsys

import numpy as np


def striped(rng: np.random.Generator, label: int, size: tuple[int, int], classes: int, noise: float) -> np.ndarray:
    """Return an image (H, W, 3) uint8 in RGB of `size` (H, W), asymmetric in its channels and sides."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = np.pi * label / classes + rng.normal(0, 0.06)
    frequency = (3 + label % 5) * 2 * np.pi / max(height, width) * rng.uniform(0.9, 1.1)
    stripe = 0.5 + 0.5 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * frequency + rng.uniform(0, 6.28))
    light = np.array(colorsys.hsv_to_rgb((label / classes + rng.normal(0, 0.03)) % 1, 0.65, 0.85)) * 255
    dark = np.array(colorsys.hsv_to_rgb((label / classes + 0.33 + rng.normal(0, 0.05)) % 1, 0.5, 0.35)) * 255
    image = stripe[..., None] * light + (1 - stripe[..., None]) * dark
    for _ in range(4):
        cy, cx = rng.uniform(0, height), rng.uniform(0, width)
        radius = rng.uniform(0.05, 0.2) * min(height, width)
        image[(y - cy) ** 2 + (x - cx) ** 2 < radius * radius] = rng.uniform(0, 255, 3)
    coarse = rng.normal(0, noise, (height // 4 + 1, width // 4 + 1, 3)).repeat(4, 0).repeat(4, 1)
    return np.clip(image + coarse[:height, :width], 0, 255).astype(np.uint8)
