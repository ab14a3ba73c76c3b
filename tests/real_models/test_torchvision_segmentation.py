"""Torchvision's segmentation models, unwrapped, with seeded weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.real_models

SIZES = ((60, 80), (72, 64), (64, 90))
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
    """Write images with a box each, and their masks."""
    import cv2

    folder = pytester.path
    rng = np.random.default_rng(3)
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
    (folder / "meta.json").write_text(json.dumps({"label_map": {str(i): f"class {i}" for i in range(4)}}))
    return folder


def save_seeded(folder: Path, model: str):
    """Return the model with random weights, which are also saved.

    Its batch normalisation has seen the images and no class is likelier than another, so that its masks have several.
    """
    import torch
    import torchvision

    torch.manual_seed(0)
    net = getattr(torchvision.models.segmentation, model)(weights=None, weights_backbone=None, num_classes=4)
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
    images = torch.stack([pixels(folder, number, (64, 48)) for number in range(len(SIZES))])
    last = net.classifier.high_classifier if model.startswith("lraspp") else net.classifier[-1]
    with torch.no_grad():
        net.train()(images)
        last.bias -= net.eval()(images)["out"].mean(dim=(0, 2, 3))
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

    image = cv2.resize(cv2.imread(str(folder / "images" / f"{number}.png"))[..., ::-1], size)
    return torch.from_numpy(image.transpose(2, 0, 1) / np.float32(255))


@pytest.mark.parametrize("model", ["deeplabv3_mobilenet_v3_large", "fcn_resnet50", "lraspp_mobilenet_v3_large"])
def test_segmentation(pytester: pytest.Pytester, drawn: Path, model: str) -> None:
    import cv2
    import torch

    net = save_seeded(drawn, model)
    own = SEGMENTATION.format(model=model, adapter="torchvision_segmentation", postprocessing="[]")
    measure = measured(pytester, own)
    right, total, seen = 0, 0, set[int]()
    with torch.inference_mode():
        for number, (height, width) in enumerate(SIZES):
            labels = net(pixels(drawn, number, (64, 48))[None])["out"][0].argmax(0).numpy().astype(np.uint8)
            rows, columns = ((2 * np.arange(n) + 1) * m // (2 * n) for n, m in ((height, 48), (width, 64)))
            truth = cv2.imread(str(drawn / "masks" / f"{number}.png"), cv2.IMREAD_GRAYSCALE)
            seen |= set(labels.reshape(-1).tolist())
            right, total = right + (labels[rows][:, columns] == truth).sum(), total + truth.size
    assert len(seen) > 1
    assert measure["accuracy"]["value"] == pytest.approx(right / total, abs=1e-12)
    adapter = "{type: segmentation, make_argmax: true}"
    step = "[{type: resize_segmentation_mask, apply_to: prediction}]"
    reference = SEGMENTATION.format(model=model, adapter=adapter, postprocessing=step)
    other = measured(pytester, reference.replace("name: segmenter", "name: other"))
    assert {name: metric["value"] for name, metric in other.items()} == {n: m["value"] for n, m in measure.items()}
