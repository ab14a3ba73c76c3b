"""torchvision's detection, mask, keypoint and segmentation models, unwrapped, with seeded weights."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.real_models

SIZES = ((60, 80), (72, 64), (64, 90))
DETECTION = """\
name: detector
launchers:
  - framework: pytorch
    module: torchvision.models.detection.{model}
    module_kwargs: {{weights: null, weights_backbone: null, {options}}}
    checkpoint: model.pt
    batch: 2
    adapter: torchvision_detection
datasets:
  - name: drawn
    data_source: images
    annotation_conversion: {{converter: {converter}, annotation_file: coco.json}}
    preprocessing:
      - {{type: bgr_to_rgb}}
      - {{type: resize, dst_width: 100, dst_height: 90}}
      - {{type: normalization, std: 255}}
    metrics: [{metrics}]
"""
SEGMENTATION = """\
name: segmenter
launchers:
  - framework: pytorch
    module: torchvision.models.segmentation.{model}
    module_kwargs: {{weights: null, weights_backbone: null, num_classes: 4}}
    checkpoint: model.pt
    batch: 3
    adapter: {adapter}
datasets:
  - name: drawn
    data_source: images
    annotation_conversion:
      {{converter: common_semantic_segmentation, images_dir: images, masks_dir: masks, dataset_meta_file: meta.json}}
    preprocessing:
      - {{type: bgr_to_rgb}}
      - {{type: resize, dst_width: 64, dst_height: 48}}
      - {{type: normalization, std: 255}}
    postprocessing: {postprocessing}
    metrics:
      - {{type: mean_iou, name: miou, use_argmax: false}}
      - {{type: segmentation_accuracy, name: accuracy, use_argmax: false}}
"""


@pytest.fixture
def drawn(pytester: pytest.Pytester) -> Path:
    """Write images with a box each, as COCO annotates them and as masks."""
    import cv2

    folder = pytester.path
    rng = np.random.default_rng(3)
    coco: dict[str, list[dict[str, object]]] = {"images": [], "annotations": []}
    coco["categories"] = [{"id": 1, "name": "box"}]
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for number, (height, width) in enumerate(SIZES):
        image = rng.integers(0, 120, (height, width, 3)).astype(np.uint8)
        mask = np.zeros((height, width), np.uint8)
        x, y, w, h = 10 + number, 12, 30, 24
        image[y : y + h, x : x + w] = 220
        mask[y : y + h, x : x + w] = 1 + number % 3
        cv2.imwrite(str(folder / "images" / f"{number}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)
        coco["images"].append({"id": number, "file_name": f"{number}.png", "height": height, "width": width})
        keypoints = [value for index in range(17) for value in (x + index, y + index, 2)]
        polygon = [x, y, x + w, y, x + w, y + h, x, y + h]
        coco["annotations"].append(
            {"id": number + 1, "image_id": number, "category_id": 1, "bbox": [x, y, w, h], "area": w * h, "iscrowd": 0}
            | {"segmentation": [polygon], "keypoints": keypoints, "num_keypoints": 17}
        )
    (folder / "coco.json").write_text(json.dumps(coco))
    (folder / "meta.json").write_text(json.dumps({"label_map": {str(i): f"class {i}" for i in range(4)}}))
    return folder


def save_seeded(folder: Path, build, **options) -> object:
    import torch

    torch.manual_seed(0)
    net = build(weights=None, weights_backbone=None, **options).eval()
    torch.save(net.state_dict(), folder / "model.pt")
    return net


def measured(pytester: pytest.Pytester, file: str) -> dict[str, dict[str, object]]:
    (pytester.path / "model.launcher.yml").write_text(file)
    result = pytester.runpytest_inprocess("--launcher-record", "--launcher-json=out.json")
    result.assert_outcomes(passed=1)
    again = pytester.runpytest_inprocess()
    again.assert_outcomes(passed=1)
    (evaluation,) = json.loads((pytester.path / "out.json").read_text())["evaluations"]
    return {metric["name"]: metric for metric in evaluation["metrics"]}


def pixels(folder: Path, number: int, size: tuple[int, int]):
    import cv2
    import torch

    image = cv2.imread(str(folder / "images" / f"{number}.png"))[..., ::-1].astype(np.float32)
    return torch.from_numpy(cv2.resize(image, size).transpose(2, 0, 1) / np.float32(255))


def by_pycocotools(folder: Path, kind: str, found: list[dict[str, object]]) -> list[float]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "coco.json"))
        evaluation = COCOeval(truth, truth.loadRes(found), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [number if number > -1 else None for number in evaluation.stats]


@pytest.mark.parametrize(
    ("model", "kind", "converter", "metric"),
    [
        ("fasterrcnn_mobilenet_v3_large_320_fpn", "bbox", "mscoco_detection", "coco_orig_precision"),
        ("maskrcnn_resnet50_fpn", "segm", "mscoco_mask_rcnn", "coco_orig_segm_precision"),
        ("keypointrcnn_resnet50_fpn", "keypoints", "mscoco_keypoints", "coco_orig_keypoints_precision"),
    ],
)
def test_detection(pytester: pytest.Pytester, drawn: Path, model: str, kind: str, converter: str, metric: str) -> None:
    import torch
    import torchvision
    from pycocotools import mask as masks

    options = {"min_size": 96, "max_size": 128, "num_classes": 2, "box_score_thresh": 0.01}
    net = save_seeded(drawn, getattr(torchvision.models.detection, model), **options)
    full = "" if converter == "mscoco_keypoints" else ", use_full_label_map: true"
    name = f"{{type: {metric}, name: ap}}"
    written = ", ".join(f"{key}: {value}" for key, value in options.items())
    file = DETECTION.format(model=model, options=written, converter=converter, metrics=name)
    measure = measured(pytester, file.replace("coco.json}", f"coco.json{full}}}"))["ap"]
    found: list[dict[str, object]] = []
    with torch.inference_mode():
        for number, (height, width) in enumerate(SIZES):
            (output,) = net([pixels(drawn, number, (100, 90))])
            scale = torch.tensor([width / 100, height / 90])
            for index, score in enumerate(output["scores"].tolist()):
                record = {"image_id": number, "category_id": int(output["labels"][index]), "score": score}
                x0, y0, x1, y1 = (output["boxes"][index].double() * scale.repeat(2)).tolist()
                if kind == "bbox":
                    record["bbox"] = [x0, y0, x1 - x0, y1 - y0]
                elif kind == "segm":
                    import cv2

                    whole = cv2.resize(output["masks"][index, 0].numpy(), (width, height)) > 0.5
                    record["segmentation"] = masks.encode(np.asfortranarray(whole, np.uint8))
                else:
                    points = output["keypoints"][index].double()
                    points[:, :2] *= scale
                    record["keypoints"] = points.reshape(-1).tolist()
                found.append(record)
    assert found
    expected = by_pycocotools(drawn, kind, found)
    assert list(measure["components"].values()) == pytest.approx(expected, abs=1e-6)
    assert measure["value"] == pytest.approx(expected[0], abs=1e-6)


@pytest.mark.parametrize("model", ["deeplabv3_mobilenet_v3_large", "fcn_resnet50", "lraspp_mobilenet_v3_large"])
def test_segmentation(pytester: pytest.Pytester, drawn: Path, model: str) -> None:
    import cv2
    import torch
    import torchvision

    net = save_seeded(drawn, getattr(torchvision.models.segmentation, model), num_classes=4)
    own = SEGMENTATION.format(model=model, adapter="torchvision_segmentation", postprocessing="[]")
    measure = measured(pytester, own)
    right = total = 0
    with torch.inference_mode():
        for number, (height, width) in enumerate(SIZES):
            labels = net(pixels(drawn, number, (64, 48))[None])["out"][0].argmax(0).numpy().astype(np.uint8)
            rows, columns = ((2 * np.arange(n) + 1) * m // (2 * n) for n, m in ((height, 48), (width, 64)))
            truth = cv2.imread(str(drawn / "masks" / f"{number}.png"), cv2.IMREAD_GRAYSCALE)
            right, total = right + (labels[rows][:, columns] == truth).sum(), total + truth.size
    assert measure["accuracy"]["value"] == pytest.approx(right / total, abs=1e-3)
    adapter = "{type: segmentation, make_argmax: true}"
    step = "[{type: resize_segmentation_mask, apply_to: prediction}]"
    reference = SEGMENTATION.format(model=model, adapter=adapter, postprocessing=step)
    other = measured(pytester, reference.replace("name: segmenter", "name: other"))
    assert {name: metric["value"] for name, metric in other.items()} == {n: m["value"] for n, m in measure.items()}
