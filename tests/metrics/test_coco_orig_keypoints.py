"""COCO's numbers for the keypoints of an image alone, against pycocotools, and what cannot be measured."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pytest_torchlauncher import rle
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.metrics.coco_orig_keypoints_precision import CocoOrigKeypointsPrecision
from pytest_torchlauncher.metrics.coco_orig_segm_precision import CocoOrigSegmPrecision
from pytest_torchlauncher.types import DatasetMeta, InstanceMasks, Keypoints, ScoredKeypoints, ScoredMasks


def by_pycocotools(annotations, predictions):
    """Return the ten numbers; NaN for those that no object is there for."""
    truth, found = [], []
    for image, (annotation, prediction) in enumerate(zip(annotations, predictions, strict=True)):
        for index, (left, top, right, bottom) in enumerate(annotation.boxes.tolist()):
            marks = np.c_[annotation.points[index], annotation.visibility[index]]
            one = {"image_id": image, "category_id": int(annotation.labels[index]), "id": len(truth) + 1}
            one |= {"bbox": [left, top, right - left, bottom - top], "area": float(annotation.areas[index])}
            one |= {"keypoints": marks.reshape(-1).tolist(), "num_keypoints": int((marks[:, 2] > 0).sum())}
            truth.append({**one, "iscrowd": int(annotation.crowd[index])})
        for points, label, score in zip(prediction.points, prediction.labels, prediction.scores, strict=True):
            marks = np.c_[points, np.ones(len(points))].reshape(-1).tolist()
            found.append({"image_id": image, "category_id": int(label), "score": float(score), "keypoints": marks})
    with contextlib.redirect_stdout(io.StringIO()):
        coco, results = COCO(), COCO()
        coco.dataset = {"images": [{"id": image} for image in range(len(annotations))], "annotations": truth}
        coco.dataset["categories"] = [{"id": label} for label in (1, 2)]
        coco.createIndex()
        results.dataset = {**coco.dataset, "annotations": []}
        results.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found) if found else results, "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [number if number > -1 else np.nan for number in evaluation.stats.tolist()]


def random_people(rng):
    """Return annotation and detections of an image: crowds, people without a labelled point, more than 20 found."""
    count, found = rng.integers(0, 5), rng.choice([0, 3, 8, 30])
    low = rng.random((count, 2)) * 40
    boxes = np.hstack([low, low + 10 + rng.random((count, 2)) * 40])
    points = boxes[:, np.newaxis, :2] + rng.random((count, 17, 2)) * 30
    visibility = rng.integers(0, 3, (count, 17)) * (rng.random((count, 1)) < 0.7)
    labels, areas = rng.integers(1, 3, count), rng.choice([500.0, 2000.0, 20000.0], count)
    annotation = Keypoints(points, visibility, labels, boxes, areas, crowd=rng.random(count) < 0.2)
    seen, guesses = rng.random((found, 17, 2)) * 80, rng.integers(1, 3, found)
    if count:
        source = rng.integers(0, count, found)
        seen, guesses = points[source] + rng.normal(0, 2, (found, 17, 2)), labels[source]
    return annotation, ScoredKeypoints(seen, np.ones((found, 17)), guesses, rng.integers(0, 6, found) / 5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_numbers_of_all_images_and_of_each_alone(seed):
    rng = np.random.default_rng(seed)
    annotations, predictions = zip(*(random_people(rng) for _ in range(rng.integers(1, 4))), strict=True)
    metric = CocoOrigKeypointsPrecision()
    measured = metric.summarize(metric.observe(annotations, predictions), DatasetMeta())
    np.testing.assert_allclose(list(measured.components.values()), by_pycocotools(annotations, predictions), atol=1e-12)
    alone = [by_pycocotools([a], [p])[0] for a, p in zip(annotations, predictions, strict=True)]
    np.testing.assert_allclose(measured.per_sample, alone, atol=1e-9)


def people(count, points, visible=2):
    boxes, labels = np.tile([0.0, 0, 60, 60], (count, 1)), np.ones(count, dtype=np.int64)
    return Keypoints(np.full((count, points, 2), 5.0), np.full((count, points), visible), labels, boxes)


def found(count, points, score=0.5):
    where, labels = np.full((count, points, 2), 5.0), np.ones(count, dtype=np.int64)
    return ScoredKeypoints(where, np.ones((count, points)), labels, np.full(count, score))


def test_people_without_a_labelled_point_need_not_be_found():
    metric = CocoOrigKeypointsPrecision()
    nobody = metric.summarize(metric.observe([people(1, 17, visible=0)], [found(1, 17)]), DatasetMeta())
    assert np.isnan([nobody.value, nobody.per_sample[0]]).all()


def test_numbers_that_no_object_is_there_for_are_not_zero():
    metric = CocoOrigKeypointsPrecision()
    missed = metric.summarize(metric.observe([people(1, 17)], [found(0, 17)]), DatasetMeta())
    assert (missed.value, missed.components["APm"], missed.per_sample[0]) == (0, 0, 0)
    assert np.isnan(missed.components["APl"])


@pytest.mark.parametrize(
    ("annotation", "prediction", "message"),
    [
        (people(1, 5), found(0, 17), "5 annotated keypoints found, the 17 of COCO's people expected"),
        (people(0, 0), found(1, 21), "21 predicted keypoints found, the 17 of COCO's people expected"),
        (people(1, 17), found(1, 17, np.nan), "NaN found among the scores, numbers expected"),
    ],
)
def test_what_cannot_be_measured_is_told(annotation, prediction, message):
    with pytest.raises(OutputError) as error:
        CocoOrigKeypointsPrecision().observe([annotation], [prediction])
    assert error.value.message == message


def test_masks_must_be_of_one_size():
    label = np.array([1])
    annotation = InstanceMasks((rle.encode(np.ones((6, 8), bool)),), label, np.array([[0.0, 0, 8, 6]]))
    prediction = ScoredMasks((rle.encode(np.ones((12, 16), bool)),), label, np.array([0.5]))
    with pytest.raises(OutputError) as error:
        CocoOrigSegmPrecision().observe([annotation], [prediction])
    assert error.value.message == "masks of (6, 8) and (12, 16) px found, all of the size of the image expected"
