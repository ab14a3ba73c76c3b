"""Conversion of COCO files of growing size: seconds for 1000 annotations, which stay the same where cost is linear."""

from __future__ import annotations

import gc
import json
import statistics
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from pytest_torchlauncher.converters.mscoco_detection import MSCocoDetection

SIZES, PER_IMAGE, ROUNDS = (10_000, 40_000, 160_000), 20, 5


def written(count: int, folder: Path) -> Path:
    """Return a file of `count` boxes on images of `PER_IMAGE`, in random order of the images."""
    rng = np.random.default_rng(0)
    images = [{"id": i, "file_name": f"{i:06}.jpg", "height": 480, "width": 640} for i in range(count // PER_IMAGE)]
    boxes = (rng.random((count, 4)) * 200).round(2).tolist()
    owners, labels = rng.integers(0, len(images), count).tolist(), rng.integers(1, 81, count).tolist()
    annotations = [
        {"id": i, "image_id": owner, "category_id": label, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for i, (owner, label, box) in enumerate(zip(owners, labels, boxes, strict=True), 1)
    ]
    categories = [{"id": label, "name": f"class {label}"} for label in range(1, 81)]
    path = folder / f"{count}.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def main() -> None:
    """Convert the files in turn, without garbage collection as in timeit, and print the cost of each."""
    gc.disable()
    with tempfile.TemporaryDirectory() as folder:
        files = {count: written(count, Path(folder)) for count in SIZES}
        seconds: dict[int, list[float]] = {count: [] for count in SIZES}
        for _ in range(ROUNDS):
            for count, path in files.items():
                start = perf_counter()
                MSCocoDetection(annotation_file=path).convert()
                seconds[count].append(perf_counter() - start)
    for count, times in seconds.items():
        median = statistics.median(times)
        print(f"{count} annotations: {median:.3f} s, {median / count * 1e6:.1f} ms for 1000")


if __name__ == "__main__":
    main()
