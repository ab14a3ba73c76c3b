"""COCO's numbers for boxes, masks and keypoints, against pycocotools."""

import contextlib
import io
import sys

import numpy as np
import pytest
from detection_cases import META, annotated, detected, random_images
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pytest_torchlauncher import rle
from pytest_torchlauncher.errors import DataError, MissingExtraError, OutputError
from pytest_torchlauncher.metrics.coco_orig_keypoints_precision import CocoOrigKeypointsPrecision
from pytest_torchlauncher.metrics.coco_orig_precision import CocoOrigPrecision
from pytest_torchlauncher.metrics.coco_orig_recall import CocoOrigRecall
from pytest_torchlauncher.metrics.coco_orig_segm_precision import CocoOrigSegmPrecision
from pytest_torchlauncher.metrics.coco_orig_segm_recall import CocoOrigSegmRecall
from pytest_torchlauncher.types import (
    Boxes,
    DatasetMeta,
    InstanceMasks,
    Keypoints,
    ScoredKeypoints,
    ScoredMasks,
)

seeds = st.integers(0, 2**32)
SIZE = (40, 44)


def numbers(kind, truths, found, images):
    """Return what pycocotools gives for records without ids, a list an image."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth, detections = COCO(), COCO()
        for coco, records in ((truth, truths), (detections, found)):
            rows = [{**record, "image_id": i} for i, of_one in enumerate(records) for record in of_one]
            coco.dataset = {
                "images": [{"id": i, "height": SIZE[0], "width": SIZE[1]} for i in range(images)],
                "categories": [{"id": label} for label in range(6)],
                "annotations": [{**row, "id": index} for index, row in enumerate(rows, 1)],
            }
            coco.createIndex()
        evaluation = COCOeval(truth, detections, kind)
        evaluation.params.imgIds = list(range(images))
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [number if number > -1 else np.nan for number in evaluation.stats]


def boxed(boxes, extra=0):
    return [[x, y, right - x + extra, bottom - y + extra] for x, y, right, bottom in boxes.tolist()]


def box_records(annotations, predictions, extra=0):
    truths = [
        [
            {"bbox": box, "category_id": int(label), "area": float(area), "iscrowd": int(crowd)}
            for box, label, area, crowd in zip(boxed(a.boxes), a.labels, a.areas, a.crowd, strict=True)
        ]
        for a in annotations
    ]
    found = [
        [
            {"bbox": box, "category_id": int(label), "score": float(score), "area": box[2] * box[3], "iscrowd": 0}
            for box, label, score in zip(boxed(p.boxes, extra), p.labels, p.scores, strict=True)
        ]
        for p in predictions
    ]
    return truths, found


def assert_equal_numbers(metric, annotations, predictions, expected):
    measured = metric.summarize(metric.observe(annotations, predictions), META)
    np.testing.assert_allclose(list(measured.components.values()), expected, atol=1e-12)
    return measured


def spread(annotations, rng):
    """Return `annotations` with areas over all three of COCO's ranges."""
    return [
        Boxes(a.boxes, a.labels, crowd=a.crowd, areas=rng.choice([100.0, 2000.0, 20000.0], len(a))) for a in annotations
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seeds)
def test_twelve_numbers_of_boxes(seed):
    annotations, predictions = random_images(seed)
    annotations = spread(annotations, np.random.default_rng(seed))
    if not any(map(len, annotations)) or not any(map(len, predictions)):
        return
    expected = numbers("bbox", *box_records(annotations, predictions), len(annotations))
    measured = assert_equal_numbers(CocoOrigPrecision(), annotations, predictions, expected)
    assert measured.value == pytest.approx(expected[0], nan_ok=True)
    recall = assert_equal_numbers(CocoOrigRecall(), annotations, predictions, expected)
    assert recall.value == pytest.approx(expected[8], nan_ok=True)
    for index, (annotation, prediction) in enumerate(zip(annotations, predictions, strict=True)):
        counted = not annotation.crowd.all()
        alone = [np.nan]
        if counted and len(prediction):
            alone = numbers("bbox", *box_records([annotation], [prediction]), 1)
        elif counted:
            alone = [0.0]
        assert measured.per_sample[index] == pytest.approx(alone[0], nan_ok=True)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seeds)
def test_a_border_widens_predictions_alone(seed):
    annotations, predictions = random_images(seed)
    if not any(map(len, annotations)) or not any(map(len, predictions)):
        return
    expected = numbers("bbox", *box_records(annotations, predictions, extra=1), len(annotations))
    for metric in (CocoOrigPrecision(include_boundaries=True), CocoOrigPrecision(compat="accuracy_checker")):
        assert_equal_numbers(metric, annotations, predictions, expected)
    plain = numbers("bbox", *box_records(annotations, predictions), len(annotations))
    metric = CocoOrigPrecision(compat="accuracy_checker", include_boundaries=False)
    assert_equal_numbers(metric, annotations, predictions, plain)


def test_a_border_makes_a_difference():
    annotations, predictions = [annotated([[0, 0, 8, 8]], [1])], [detected([[0, 0, 8, 8]], [1], [0.9])]
    values = [
        metric.summarize(metric.observe(annotations, predictions), META).value
        for metric in (CocoOrigPrecision(), CocoOrigPrecision(compat="accuracy_checker"))
    ]
    assert values == pytest.approx([1.0, 0.6])  # an overlap of 64 / 81


def masks_of(rng, count):
    low = rng.integers(0, 25, (count, 2))
    masks = np.zeros((count, *SIZE), bool)
    for mask, (y, x) in zip(masks, low, strict=True):
        mask[y : y + rng.integers(2, 15), x : x + rng.integers(2, 15)] = True
    return masks


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seeds)
def test_twelve_numbers_of_masks(seed):
    rng = np.random.default_rng(seed)
    annotations, predictions = [], []
    for _ in range(rng.integers(1, 5)):
        count, found = rng.integers(0, 4), rng.integers(0, 6)
        truth, seen = masks_of(rng, count), masks_of(rng, found)
        for index in range(min(count, found)):
            seen[index] = np.roll(truth[index], rng.integers(0, 2), axis=0)
        labels, guesses = rng.integers(1, 4, count), rng.integers(1, 4, found)
        guesses[: min(count, found)] = labels[: min(count, found)]
        crowd, areas = rng.random(count) < 0.2, rng.choice([100.0, 2000.0, 20000.0], count)
        boxes = np.zeros((count, 4))
        annotations.append(InstanceMasks(tuple(map(rle.encode, truth)), labels, boxes, crowd=crowd, areas=areas))
        predictions.append(ScoredMasks(tuple(map(rle.encode, seen)), guesses, rng.integers(1, 5, found) / 5))
    truths = [
        [
            {"segmentation": written(m), "category_id": int(c), "area": float(area), "iscrowd": int(crowd)}
            for m, c, area, crowd in zip(a.masks, a.labels, a.areas, a.crowd, strict=True)
        ]
        for a in annotations
    ]
    found = [
        [
            {
                "segmentation": written(m),
                "category_id": int(c),
                "score": float(s),
                "area": int(rle.decode(m).sum()),
                "iscrowd": 0,
            }
            for m, c, s in zip(p.masks, p.labels, p.scores, strict=True)
        ]
        for p in predictions
    ]
    if not any(truths) or not any(found):
        return
    expected = numbers(
        "segm", truths, [[{**record, "iscrowd": 0} for record in of_one] for of_one in found], len(truths)
    )
    assert assert_equal_numbers(CocoOrigSegmPrecision(), annotations, predictions, expected).value == pytest.approx(
        expected[0], nan_ok=True
    )
    recall = assert_equal_numbers(CocoOrigSegmRecall(), annotations, predictions, expected)
    assert recall.value == pytest.approx(expected[8], nan_ok=True)


def written(mask):
    return {"size": list(mask.size), "counts": mask.counts}


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seeds)
def test_ten_numbers_of_keypoints(seed):
    rng = np.random.default_rng(seed)
    annotations, predictions = [], []
    for _ in range(rng.integers(1, 5)):
        count, found = rng.integers(0, 4), rng.integers(0, 5)
        points, visibility = rng.random((count, 17, 2)) * 60, rng.integers(0, 3, (count, 17))
        boxes = np.tile([0.0, 0, 60, 60], (count, 1))
        areas = rng.choice([2000.0, 20000.0], count)
        crowd = rng.random(count) < 0.15
        one, none = np.ones(count, int), (visibility > 0).sum(axis=1) == 0
        annotations.append(Keypoints(points, visibility, one, boxes, areas, none, crowd))
        seen = rng.random((found, 17, 2)) * 60
        seen[: min(count, found)] = points[: min(count, found)] + rng.normal(0, 3, (min(count, found), 17, 2))
        scores = rng.integers(1, 5, found) / 5
        predictions.append(ScoredKeypoints(seen, np.ones((found, 17)), np.ones(found, int), scores))
    truths = [
        [
            {
                "keypoints": np.concatenate([xy, v[:, None]], axis=1).reshape(-1).tolist(),
                "num_keypoints": int((v > 0).sum()),
                "bbox": [0, 0, 60, 60],
                "category_id": 1,
                "area": float(area),
                "iscrowd": int(crowd),
            }
            for xy, v, area, crowd in zip(a.points, a.visibility, a.areas, a.crowd, strict=True)
        ]
        for a in annotations
    ]
    found = [[keypoint_record(*row) for row in zip(p.points, p.scores, strict=True)] for p in predictions]
    if not any(truths) or not any(found):
        return
    expected = numbers("keypoints", truths, found, len(truths))
    measured = assert_equal_numbers(CocoOrigKeypointsPrecision(), annotations, predictions, expected)
    assert measured.value == pytest.approx(expected[0], nan_ok=True)


def keypoint_record(points, score):
    """Return a detection with the box and area that pycocotools' own reader of results gives it."""
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return {
        "keypoints": np.concatenate([points, np.ones((17, 1))], axis=1).reshape(-1).tolist(),
        "category_id": 1,
        "score": float(score),
        "area": float((x1 - x0) * (y1 - y0)),
        "bbox": [float(x0), float(y0), float(x1 - x0), float(y1 - y0)],
        "iscrowd": 0,
    }


def test_images_may_come_again():
    annotations, predictions = random_images(7)
    metric = CocoOrigPrecision()
    evidence = metric.observe(annotations, predictions)
    twice = metric.summarize([*evidence, *evidence], META)
    expected = numbers("bbox", *box_records(annotations * 2, predictions * 2), 2 * len(annotations))
    np.testing.assert_allclose(list(twice.components.values()), expected, atol=1e-12)


def test_thresholds_of_ones_own():
    annotations, predictions = [annotated([[0, 0, 8, 8]], [1])], [detected([[0, 0, 8, 6]], [1], [0.9])]
    for threshold, value in (((0.5,), 1.0), ((0.8,), 0.0), ((0.5, 0.8), 0.5)):
        metric = CocoOrigPrecision(threshold=threshold)
        assert metric.summarize(metric.observe(annotations, predictions), META).value == pytest.approx(value)


def test_without_objects_or_detections():
    nothing, box = annotated([], []), annotated([[0, 0, 8, 8]], [1])
    no_detection, detection = detected([], [], []), detected([[0, 0, 8, 8]], [1], [0.5])
    metric = CocoOrigPrecision()
    none = metric.summarize(metric.observe([nothing], [detection]), DatasetMeta())
    assert np.isnan([none.value, none.per_sample[0], none.components["AR1"]]).all()
    missed = metric.summarize(metric.observe([box, nothing], [no_detection, detection]), DatasetMeta())
    assert (missed.value, missed.per_sample[0]) == (0, 0)
    both = metric.summarize(metric.observe([box, nothing], [detection, no_detection]), DatasetMeta())
    assert both.value == pytest.approx(1)


def test_messages(monkeypatch, capfd):
    metric = CocoOrigPrecision()
    with pytest.raises(DataError) as empty:
        metric.summarize([], META)
    assert empty.value.message == "no sample found, at least one expected for COCO's evaluation"
    with pytest.raises(OutputError, match="boxes in the frame 'input' found, px of the original image expected"):
        metric.observe([annotated([], [])], [detected([], [], [], frame="input")])
    assert capfd.readouterr().out == ""
    evidence = metric.observe([annotated([[0, 0, 8, 8]], [1])], [detected([[0, 0, 8, 8]], [1], [0.5])])
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(MissingExtraError) as missing:
        metric.summarize(evidence, META)
    assert missing.value.message == 'faster_coco_eval is not installed; run pip install "pytest-torchlauncher[coco]"'
