"""Torchvision's detection models on a small dataset in COCO's format, judged by pycocotools on their own outputs."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

# pycocotools gives its masks to numpy in a way that numpy 2 has deprecated.
pytestmark = [pytest.mark.real_models, pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")]

SIZES = [(72, 96), (96, 64), (80, 80), (64, 100), (90, 70)]
SMALL = {"weights": None, "weights_backbone": None, "min_size": 96, "max_size": 128, "box_detections_per_img": 12}

LAUNCHER = """\
name: {model}
launchers:
  - framework: pytorch
    module: torchvision.models.detection.{model}
    module_kwargs: {kwargs}
    checkpoint: weights.pt
    batch: 2
    adapter: torchvision_detection
datasets:
  - name: drawn
    data_source: images
    annotation_conversion: {{converter: {converter}, annotation_file: annotations.json}}
    preprocessing:
      - type: bgr_to_rgb
{resize}      - {{type: normalization, std: 255}}
    metrics: {metrics}
"""


def random_images(folder: Path) -> list[np.ndarray]:
    """Write coloured rectangles over noise and return them in RGB."""
    import cv2

    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    images = []
    for index, size in enumerate(SIZES):
        image = rng.integers(0, 60, (*size, 3)).astype(np.uint8)
        for _ in range(4):
            y, x = rng.integers(0, 50, 2)
            image[y : y + rng.integers(10, 40), x : x + rng.integers(10, 40)] = rng.integers(60, 255, 3)
        assert cv2.imwrite(str(folder / "images" / f"{index}.png"), image[..., ::-1])
        images.append(image)
    return images


def seeded(model: str, kwargs: dict[str, Any], images: list[torch.Tensor], file: Path) -> torch.nn.Module:
    """Return the model with random weights, which are also put at `file`.

    Its batch normalisation has seen the images, so that their features keep a sensible range.
    """
    torch.manual_seed(0)
    module = getattr(torchvision.models.detection, model)(**kwargs)
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        module.backbone(module.transform(images)[0].tensors)
    torch.save(module.state_dict(), file)
    return module.eval()


def outputs(module: torch.nn.Module, images: list[torch.Tensor]) -> list[dict[str, np.ndarray]]:
    """Return what `module` gives for `images`, two at a time as in the launcher file."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), 2):
            found += [{name: value.numpy() for name, value in one.items()} for one in module(images[start : start + 2])]
    return found


def as_tensors(images: list[np.ndarray]) -> list[torch.Tensor]:
    return [torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255 for image in images]


def side_by_side(box: np.ndarray) -> list[float]:
    x, y, right, bottom = map(float, box)
    return [x, y, right - x, bottom - y]


def records(found: list[dict[str, np.ndarray]], categories: list[int]) -> list[dict[str, Any]]:
    """Return the detections as COCO writes results; label n is the nth of `categories`."""
    rows = []
    for image, one in enumerate(found):
        for index, (box, label, score) in enumerate(zip(one["boxes"], one["labels"], one["scores"], strict=True)):
            row = {"image_id": image, "category_id": categories[label - 1], "score": float(score)}
            row["bbox"] = side_by_side(box)
            if "masks" in one:
                row["segmentation"] = rle.encode(np.asfortranarray(one["masks"][index, 0] > 0.5, np.uint8))
            if "keypoints" in one:
                row["keypoints"] = one["keypoints"][index].astype(float).reshape(-1).tolist()
            rows.append(row)
    return rows


def write_annotations(rows: list[dict[str, Any]], categories: list[int], folder: Path) -> None:
    """Write two of three detections, shifted a little, as the objects of the dataset."""
    rng = np.random.default_rng(1)
    objects = []
    for row in [*rows[::3], *rows[1::3]]:
        x, y, width, height = row["bbox"]
        moved = [x + rng.normal(0, 0.06) * width, y + rng.normal(0, 0.06) * height, width, height]
        one = {"id": len(objects) + 1, "image_id": row["image_id"], "category_id": row["category_id"], "bbox": moved}
        one |= {"area": width * height, "iscrowd": 0}
        left, top, right, bottom = moved[0], moved[1], moved[0] + width, moved[1] + height
        one["segmentation"] = [[left, top, right, top, right, bottom, left, bottom]]
        if "segmentation" in row:
            counts = np.roll(rle.decode(row["segmentation"]), rng.integers(0, 4), axis=1)
            encoded = rle.encode(np.asfortranarray(counts))
            one["segmentation"] = {"size": encoded["size"], "counts": encoded["counts"].decode()}
            one["area"] = float(rle.area(encoded))
        if "keypoints" in row:
            points = np.array(row["keypoints"]).reshape(-1, 3)
            points[:, :2] += rng.normal(0, 1.5, (len(points), 2))
            points[:, 2] = rng.integers(0, 3, len(points))
            one["keypoints"], one["num_keypoints"] = points.reshape(-1).tolist(), int((points[:, 2] > 0).sum())
            one["area"] = 2000.0
        objects.append(one)
    content = {
        "images": [
            {"id": index, "file_name": f"{index}.png", "height": height, "width": width}
            for index, (height, width) in enumerate(SIZES)
        ],
        "categories": [{"id": category, "name": f"kind {category}"} for category in categories],
        "annotations": objects,
    }
    (folder / "annotations.json").write_text(json.dumps(content))


def by_pycocotools(rows: list[dict[str, Any]], kind: str, folder: Path) -> list[float]:
    """Return the numbers of `kind` for detections `rows`, NaN for those that no object is there for."""
    shape = "segmentation" if kind == "segm" else kind
    kept = [{key: row[key] for key in ("image_id", "category_id", "score", shape)} for row in rows]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "annotations.json"))
        evaluation = COCOeval(truth, truth.loadRes(kept), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [number if number > -1 else np.nan for number in evaluation.stats.tolist()]


def measured(pytester: pytest.Pytester) -> dict[str, dict[str, Any]]:
    """Record the launcher file in pytester's folder and return its metrics by name."""
    report = pytester.path / "out.json"
    result = pytester.runpytest_subprocess("-Werror", f"--launcher-json={report}", "--launcher-record")
    assert result.ret == pytest.ExitCode.OK, result.outlines
    (evaluation,) = json.loads(report.read_text())["evaluations"]
    return {metric["name"]: metric for metric in evaluation["metrics"]}


def write_launcher(
    folder: Path, model: str, kwargs: dict[str, Any], converter: str, kinds: list[str], resize: str = ""
) -> None:
    metrics = json.dumps([{"type": f"coco_orig_{kind}"} for kind in kinds])
    text = LAUNCHER.format(model=model, kwargs=json.dumps(kwargs), converter=converter, metrics=metrics, resize=resize)
    (folder / f"{model}.launcher.yml").write_text(text)


def assert_numbers(metric: dict[str, Any], expected: list[float], index: int = 0) -> None:
    """Check value and components against pycocotools' numbers, which must not be trivial."""
    assert 0.05 < expected[index] < 0.999
    assert metric["value"] == pytest.approx(expected[index], abs=1e-6)
    there = [number for number in expected if not np.isnan(number)]
    given = [number for number in metric["components"].values() if number is not None]
    assert given == pytest.approx(there, abs=1e-6)


@pytest.mark.parametrize("resized", [False, True])
def test_boxes_of_faster_rcnn(pytester: pytest.Pytester, resized: bool):
    import cv2

    model, kwargs = "fasterrcnn_mobilenet_v3_large_320_fpn", {**SMALL, "num_classes": 4}
    images = random_images(pytester.path)
    fed = [cv2.resize(image, (88, 76)) for image in images] if resized else images
    module = seeded(model, kwargs, as_tensors(fed), pytester.path / "weights.pt")
    found = outputs(module, as_tensors(fed))
    if resized:
        for one, (height, width) in zip(found, SIZES, strict=True):
            one["boxes"] = one["boxes"] * np.array([width / 88, height / 76] * 2)
    categories = [3, 7, 8]
    rows = records(found, categories)
    write_annotations(rows, categories, pytester.path)
    resize = "      - {type: resize, dst_width: 88, dst_height: 76}\n" if resized else ""
    converter = "mscoco_detection, has_background: true"
    write_launcher(pytester.path, model, kwargs, converter, ["precision", "recall"], resize)
    metrics, expected = measured(pytester), by_pycocotools(rows, "bbox", pytester.path)
    assert_numbers(metrics["coco_orig_precision"], expected)
    assert_numbers(metrics["coco_orig_recall"], expected, 8)


def test_masks_of_mask_rcnn(pytester: pytest.Pytester):
    model, kwargs = "maskrcnn_resnet50_fpn", {**SMALL, "num_classes": 3}
    images = as_tensors(random_images(pytester.path))
    rows = records(outputs(seeded(model, kwargs, images, pytester.path / "weights.pt"), images), [3, 7])
    write_annotations(rows, [3, 7], pytester.path)
    converter = "mscoco_mask_rcnn, has_background: true"
    write_launcher(pytester.path, model, kwargs, converter, ["precision", "segm_precision", "segm_recall"])
    metrics = measured(pytester)
    masks = by_pycocotools(rows, "segm", pytester.path)
    assert_numbers(metrics["coco_orig_precision"], by_pycocotools(rows, "bbox", pytester.path))
    assert_numbers(metrics["coco_orig_segm_precision"], masks)
    assert_numbers(metrics["coco_orig_segm_recall"], masks, 8)


def test_keypoints_of_keypoint_rcnn(pytester: pytest.Pytester):
    model, kwargs = "keypointrcnn_resnet50_fpn", {**SMALL, "num_classes": 2}
    images = as_tensors(random_images(pytester.path))
    rows = records(outputs(seeded(model, kwargs, images, pytester.path / "weights.pt"), images), [1])
    write_annotations(rows, [1], pytester.path)
    write_launcher(pytester.path, model, kwargs, "mscoco_keypoints", ["keypoints_precision"])
    metrics, expected = measured(pytester), by_pycocotools(rows, "keypoints", pytester.path)
    assert_numbers(metrics["coco_orig_keypoints_precision"], expected)
