"""Draws the images of circles, squares and triangles with their boxes and masks: seeded, a few seconds."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

DATA = Path(__file__).parent / "data"
NAMES = ("background", "circle", "square", "triangle")
IMAGES = 48


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[tuple[int, list[int]]]]:
    """Return an image (H, W, 3) uint8 in RGB, its classes (H, W) uint8, and label and box (x, y, w, h) a shape."""
    height, width = (int(side) for side in rng.integers(56, 97, 2))
    image = np.empty((height, width, 3), np.float32)
    image[:] = np.linspace(rng.integers(0, 120, 3), rng.integers(60, 180, 3), width)
    mask = np.zeros((height, width), np.uint8)
    objects = []
    for _ in range(int(rng.integers(0, 4))):
        label, radius = int(rng.integers(1, 4)), int(rng.integers(7, 13))
        x, y = int(rng.integers(radius, width - radius)), int(rng.integers(radius, height - radius))
        if mask[y - radius : y + radius + 1, x - radius : x + radius + 1].any():
            continue  # shapes do not overlap
        shape = _shape(label, x, y, radius, mask.shape)
        image[shape > 0] = rng.integers(100, 256, 3)
        mask[shape > 0] = label
        objects.append((label, list(map(int, cv2.boundingRect(shape)))))
    image += rng.normal(0, 4, (height, width, 1))
    return np.clip(image, 0, 255).astype(np.uint8), mask, objects


def _shape(label: int, x: int, y: int, radius: int, size: tuple[int, ...]) -> np.ndarray:
    shape = np.zeros(size, np.uint8)
    if label == 1:
        return cv2.circle(shape, (x, y), radius, 1, -1)
    if label == 2:
        return cv2.rectangle(shape, (x - radius, y - radius), (x + radius, y + radius), 1, -1)
    corners = np.array([[x, y - radius], [x - radius, y + radius], [x + radius, y + radius]])
    return cv2.fillPoly(shape, [corners], 1)


def main() -> None:
    """Write ``data/images``, ``data/masks``, ``data/instances.json`` and ``data/classes.json``."""
    rng = np.random.default_rng(2026)
    coco: dict[str, list[dict[str, object]]] = {"images": [], "annotations": [], "categories": []}
    coco["categories"] = [{"id": label, "name": name} for label, name in enumerate(NAMES) if label]
    for folder in ("images", "masks"):
        (DATA / folder).mkdir(parents=True, exist_ok=True)
    for number in range(IMAGES):
        image, mask, objects = draw(rng)
        name = f"{number:03}.png"
        cv2.imwrite(str(DATA / "images" / name), image[..., ::-1])
        cv2.imwrite(str(DATA / "masks" / name), mask)
        height, width = mask.shape
        coco["images"].append({"id": number, "file_name": name, "height": height, "width": width})
        for label, box in objects:
            coco["annotations"].append(
                {
                    "id": len(coco["annotations"]) + 1,
                    "image_id": number,
                    "category_id": label,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
    (DATA / "instances.json").write_text(json.dumps(coco) + "\n")
    (DATA / "classes.json").write_text(json.dumps({"label_map": dict(enumerate(NAMES))}) + "\n")


if __name__ == "__main__":
    main()
