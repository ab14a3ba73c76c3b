"""pycocotools' own evaluation of boxes."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

# An annotated area beyond COCO's range "all" makes an object ignored without being a crowd.
BEYOND = 2e10


def evaluated(annotations, predictions, thresholds, max_detections):
    """Return average precision and recall of each label that pycocotools gives one."""
    precision, recall, labels = _accumulated(annotations, predictions, thresholds, max_detections)
    return {label: (precision[..., k].mean(), recall[:, k].mean()) for k, label in labels}


def curves(annotations, predictions, thresholds):
    """Return pycocotools' precision at 101 recalls, at the first threshold, of each label that it gives one."""
    precision, _, labels = _accumulated(annotations, predictions, thresholds, 100)
    return {label: precision[0, :, k] for k, label in labels}


def _accumulated(annotations, predictions, thresholds, max_detections):
    with contextlib.redirect_stdout(io.StringIO()):
        truth, found = dataset(map(objects, annotations)), dataset(map(detections, predictions))
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.imgIds = list(range(1, len(annotations) + 1))
        evaluation.params.iouThrs = np.array(thresholds)
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [max_detections]
        evaluation.evaluate()
        evaluation.accumulate()
    precision, recall = evaluation.eval["precision"][..., 0, 0], evaluation.eval["recall"][..., 0, 0]
    return precision, recall, [(k, label) for k, label in enumerate(evaluation.params.catIds) if recall[0, k] > -1]


def dataset(images):
    coco = COCO()
    coco.dataset = {
        "images": [],
        "categories": [{"id": label} for label in range(1, 5)],
        "annotations": [{**one, "image_id": i} for i, image in enumerate(images, 1) for one in image],
    }
    for number, one in enumerate(coco.dataset["annotations"], 1):
        one["id"] = number
    coco.createIndex()
    return coco


def objects(annotation):
    for (x, y, right, bottom), label, difficult, crowd in zip(
        annotation.boxes.tolist(), annotation.labels.tolist(), annotation.difficult, annotation.crowd, strict=True
    ):
        area = BEYOND if difficult else 1.0
        box = [x, y, right - x, bottom - y]
        yield {"bbox": box, "category_id": label, "area": area, "iscrowd": int(crowd)}


def detections(prediction):
    for (x, y, right, bottom), label, score in zip(
        prediction.boxes.tolist(), prediction.labels.tolist(), prediction.scores.tolist(), strict=True
    ):
        yield {"bbox": [x, y, right - x, bottom - y], "category_id": label, "area": 1.0, "score": score}
