"""Thirty images with red, green and blue boxes on noise: some annotated a little off, some difficult, some not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

COLORS, NAMES = np.array([[210, 50, 50], [50, 200, 60], [60, 70, 220]]), ("red", "green", "blue")


def make(folder: Path) -> None:
    (folder / "images").mkdir()
    (folder / "ann").mkdir()
    rng = np.random.default_rng(5)
    names = [f"{index:03d}" for index in range(30)]
    for name in names:
        image, objects = _drawn(rng)
        Image.fromarray(image).save(folder / "images" / f"{name}.png")
        (folder / "ann" / f"{name}.xml").write_text(_xml(name, image.shape, objects))
    (folder / "val.txt").write_text("\n".join(names) + "\n")
    (folder / "meta.json").write_text(json.dumps({"labels": NAMES}))


def _drawn(rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[int, list[float], int]]]:
    """Return an image, and colour, box and difficulty of each object that is annotated."""
    h, w = int(rng.integers(120, 200)), int(rng.integers(120, 200))
    image = rng.integers(90, 150, (h, w, 3)).astype(np.float32)
    objects = []
    for half in (0, 1):
        for color in rng.permutation(3)[: int(rng.integers(0, 3))]:
            width, height = int(rng.integers(12, w // 2 - 8)), int(rng.integers(12, h // 2))
            left = int(rng.integers(0, w // 2 - width)) + half * (w // 2)
            top = int(rng.integers(0, h - height))
            shade = COLORS[color] + rng.normal(0, 18, (height, width, 3)) + rng.normal(0, 14, 3)
            image[top : top + height, left : left + width] = shade
            off = rng.normal(0, 3, 4) if rng.random() < 0.5 else np.zeros(4)
            box = np.clip(np.array([left, top, left + width, top + height]) + off, 0, [w, h, w, h]).round()
            if rng.random() < 0.9:
                objects.append((int(color), box.tolist(), int(rng.random() < 0.12)))
    return np.clip(image, 0, 255).astype(np.uint8), objects


def _xml(name: str, shape: tuple[int, ...], objects: list[tuple[int, list[float], int]]) -> str:
    size = f"<size><width>{shape[1]}</width><height>{shape[0]}</height><depth>3</depth></size>"
    entries = []
    for color, box, difficult in objects:
        # PASCAL VOC counts pixels from 1.
        places = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
        sides = "".join(f"<{tag}>{side + 1}</{tag}>" for tag, side in places)
        entry = f"<name>{NAMES[color]}</name><difficult>{difficult}</difficult><bndbox>{sides}</bndbox>"
        entries.append(f"<object>{entry}</object>")
    return f"<annotation><filename>{name}.png</filename>{size}{''.join(entries)}</annotation>"
