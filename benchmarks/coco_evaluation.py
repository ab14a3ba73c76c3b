"""COCO's evaluation of 500 images × 20 boxes: ours and pycocotools' in turn, and their twelve numbers."""

from __future__ import annotations

import contextlib
import io
import statistics
from time import perf_counter

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pytest_torchlauncher.metrics.coco_orig_precision import CocoOrigPrecision
from pytest_torchlauncher.types import Boxes, DatasetMeta, ScoredBoxes

IMAGES, BOXES, CLASSES, ROUNDS = 500, 20, 80, 5


def drawn() -> tuple[list[Boxes], list[ScoredBoxes]]:
    """Return annotations and detections, seeded: three of four detections lie near an object."""
    rng = np.random.default_rng(0)
    annotations, predictions = [], []
    for _ in range(IMAGES):
        low = rng.random((BOXES, 2)) * 400
        boxes = np.concatenate([low, low + 8 + rng.random((BOXES, 2)) ** 2 * 200], axis=1)
        labels = rng.integers(0, CLASSES, BOXES)
        found = boxes + rng.normal(0, 4, boxes.shape) * (1 + 20 * (rng.random((BOXES, 1)) < 0.25))
        found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 1)
        annotations.append(Boxes(boxes, labels))
        predictions.append(ScoredBoxes(found, labels, rng.random(BOXES).round(2)))
    return annotations, predictions


def ours(annotations: list[Boxes], predictions: list[ScoredBoxes]) -> list[float]:
    """Return the twelve numbers by this package."""
    metric = CocoOrigPrecision()
    return list(metric.summarize(metric.observe(annotations, predictions), DatasetMeta()).components.values())


def by_pycocotools(annotations: list[Boxes], predictions: list[ScoredBoxes]) -> list[float]:
    """Return the twelve numbers by pycocotools."""
    truth, found = COCO(), COCO()
    for coco, objects in ((truth, annotations), (found, predictions)):
        rows = [
            {"image_id": i, "bbox": [x, y, right - x, bottom - y], "category_id": label, "iscrowd": 0}
            | {"area": (right - x) * (bottom - y), "score": score}
            for i, of_one in enumerate(objects)
            for (x, y, right, bottom), label, score in zip(
                of_one.boxes.tolist(), of_one.labels.tolist(), getattr(of_one, "scores", of_one.labels), strict=True
            )
        ]
        coco.dataset = {
            "images": [{"id": i} for i in range(IMAGES)],
            "categories": [{"id": label} for label in range(CLASSES)],
            "annotations": [{**row, "id": index} for index, row in enumerate(rows, 1)],
        }
        coco.createIndex()
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return list(evaluation.stats)


def main() -> None:
    """Time both in turn and print the ratio and the numbers."""
    data = drawn()
    seconds: dict[str, list[float]] = {"ours": [], "pycocotools": []}
    for _ in range(ROUNDS):
        for name, function in (("ours", ours), ("pycocotools", by_pycocotools)):
            start = perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):
                numbers = function(*data)
            seconds[name].append(perf_counter() - start)
            if name == "ours":
                measured = numbers
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"{IMAGES} images x {BOXES} boxes, {CLASSES} classes, median of {ROUNDS} rounds in turn")
    print("  ".join(f"{name} {median:.3f} s" for name, median in medians.items()))
    print(f"ratio {medians['pycocotools'] / medians['ours']:.1f}")
    print("ours       ", " ".join(f"{number:.4f}" for number in measured))
    print("pycocotools", " ".join(f"{number:.4f}" for number in numbers))
    print(f"largest difference {max(abs(a - b) for a, b in zip(measured, numbers, strict=True)):.1e}")


if __name__ == "__main__":
    main()
