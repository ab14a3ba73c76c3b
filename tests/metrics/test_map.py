"""The map metric against PASCAL VOC's definition, written out, and scikit-learn."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from detection_cases import META, annotated, assert_any_collection_can_be_summarised, detected, random_images, value
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.map import MeanAveragePrecision
from pytest_torchlauncher.types import DatasetMeta

random_data = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
ROW = np.array([[20.0 * i, 0.0, 20.0 * i + 9, 9.0] for i in range(25)])
"""Boxes that lie apart from each other."""
DOWN = np.array([0, 50, 0, 50])


def any_is_right(detections):
    return any(right for right, _ in detections)


def overlap(first, second, border):
    """Return intersection and union of two boxes, and the area of the first."""
    width = min(first[2], second[2]) - max(first[0], second[0]) + border
    height = min(first[3], second[3]) - max(first[1], second[1]) + border
    shared = width * height if width > 0 and height > 0 else 0
    areas = [(box[2] - box[0] + border) * (box[3] - box[1] + border) for box in (first, second)]
    return shared, sum(areas) - shared, areas[0]


def is_near(first, second, metric, difficult):
    shared, union, own = overlap(first, second, metric.include_boundaries)
    always_own = difficult and metric.allow_multiple_matches_per_ignored
    whole = own if metric.overlap_method == "ioa" or always_own else union
    part = shared / whole if whole else 0.0
    return part if part >= metric.overlap_threshold else None


def best(box, objects, metric, difficult):
    """Return the nearest of `objects`, the first of equally near ones."""
    parts = [(is_near(box, corners, metric, difficult), i) for i, corners in objects]
    near = [(part, -i) for part, i in parts if part is not None]
    return -max(near)[1] if near else None


def verdicts(annotations, predictions, label, metric):
    """Return how many objects there are, and score and verdict (1, 0, -1) of each detection by falling score."""
    objects = {
        (i, j): (box, bool(hard) and metric.ignore_difficult)
        for i, a in enumerate(annotations)
        for j, (box, own, hard) in enumerate(zip(a.boxes.tolist(), a.labels, a.difficult, strict=True))
        if own == label
    }
    found = [
        (float(score), i, box, bool(aside) and metric.ignore_difficult)
        for i, p in enumerate(predictions)
        for box, own, score, aside in zip(p.boxes.tolist(), p.labels, p.scores, p.difficult, strict=True)
        if own == label
    ]
    taken, result = set(), []
    for score, image, box, aside in sorted(found, key=lambda detection: -detection[0]):
        own = {j: entry for (i, j), entry in objects.items() if i == image}
        hit, hard = best(box, [(j, b) for j, (b, hard) in own.items() if not hard], metric, False), False
        if hit is None:
            hit, hard = best(box, [(j, b) for j, (b, hard) in own.items() if hard], metric, True), True
        if hit is None:
            verdict = -1
        elif hard:
            verdict = -1 if (image, hit) in taken and not metric.allow_multiple_matches_per_ignored else 0
        else:
            verdict = -1 if (image, hit) in taken else 1
        if hit is not None and (hard or not aside or metric.use_filtered_tp):
            taken.add((image, hit))
        if aside and (verdict == -1 or not metric.use_filtered_tp):
            verdict = 0
        result.append((score, verdict))
    return sum(not hard for _, hard in objects.values()), result


def average_precision(count, judged, metric):
    """Return the average precision of `judged` detections of `count` objects."""
    points, right, wrong = [], 0, 0
    for place, (score, verdict) in enumerate(judged):
        right, wrong = right + (verdict == 1), wrong + (verdict == -1)
        last = place + 1 == len(judged) or judged[place + 1][0] != score
        if last or not metric.distinct_conf:
            points.append((right, right / (right + wrong) if right + wrong else 0.0))
    if metric.integral == "11point":
        return sum(max([p for r, p in points if 10 * r >= k * count], default=0.0) for k in range(11)) / 11
    area = 0.0
    for level in range(1, count + 1):
        area += max([p for r, p in points if r >= level], default=0.0) / count
    return area


OPTIONS = st.fixed_dictionaries(
    {
        "overlap_threshold": st.sampled_from([0.0, 0.3, 0.5, 0.75]),
        "overlap_method": st.sampled_from(["iou", "ioa"]),
        "include_boundaries": st.booleans(),
        "ignore_difficult": st.booleans(),
        "allow_multiple_matches_per_ignored": st.booleans(),
        "use_filtered_tp": st.booleans(),
        "distinct_conf": st.booleans(),
        "integral": st.sampled_from(["max", "11point"]),
    }
)


@random_data
@given(SEEDS, OPTIONS)
def test_agrees_with_the_definition(seed, options):
    metric = MeanAveragePrecision(**options)
    annotations, predictions = random_images(seed, aside=True)
    expected = {}
    for label in range(1, 5):
        count, judged = verdicts(annotations, predictions, label, metric)
        if count:
            expected[META.label_map[label]] = average_precision(count, judged, metric)
    result = value(metric, annotations, predictions)
    assert result.components == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(result.value, np.mean(list(expected.values())) if expected else np.nan, atol=1e-12)


@random_data
@given(SEEDS, st.sampled_from([None, "accuracy_checker"]))
def test_any_collection_of_evidence_can_be_summarised(seed, compat):
    annotations, predictions = random_images(seed, aside=True)
    assert_any_collection_can_be_summarised(MeanAveragePrecision(compat=compat), annotations, predictions)


@random_data
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=20).filter(any_is_right))
def test_agrees_with_sklearn_where_all_objects_are_found(detections):
    right, scores = np.array(detections).T
    boxes = ROW[: len(right)]
    away = boxes + DOWN
    found = detected(np.where(right[:, np.newaxis], boxes, away), np.ones(len(right)), scores)
    objects = annotated(boxes[right == 1], np.ones(right.sum()))
    result = value(MeanAveragePrecision(distinct_conf=True), [objects], [found])
    precision, recall, _ = precision_recall_curve(right, scores)
    # scikit-learn's own average takes the precision at each recall, not the highest at it or above.
    assert result.value == pytest.approx(-np.diff(recall) @ np.maximum.accumulate(precision)[:-1], abs=1e-12)
    assert result.value >= average_precision_score(right, scores) - 1e-12


def test_of_equal_precisions_the_average_is_sklearns():
    right, scores = np.array([1, 1, 1, 0, 0]), np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    found = detected(np.where(right[:, np.newaxis], ROW[:5], ROW[5:10]), [1] * 5, scores)
    result = value(MeanAveragePrecision(), [annotated(ROW[:3], [1] * 3)], [found])
    assert result.value == average_precision_score(right, scores) == 1.0


def exact_points(metric):
    """Return the value for recalls .1, .2, .3, .3, 1 with precisions 1, 1, 1, .75, .8."""
    right = [1] * 6 + [0] * 2 + [1] * 14 + [0] * 3
    scores = np.repeat([0.9, 0.8, 0.7, 0.6, 0.5], [2, 2, 2, 2, 17])
    boxes = np.array([[10.0 * i, 0.0, 10.0 * i + 5, 5.0] for i in range(25)])
    objects = annotated(boxes[np.array(right) == 1], [1] * 20)
    away = boxes + DOWN
    return value(metric, [objects], [detected(np.where(np.array(right)[:, None], boxes, away), [1] * 25, scores)]).value


def test_recalls_of_exactly_a_point_reach_it():
    eleven = MeanAveragePrecision(integral="11point", distinct_conf=True)
    assert exact_points(eleven) == pytest.approx(0.8727272727, abs=1e-9)
    assert exact_points(dataclasses.replace(eleven, integral="max")) == pytest.approx(0.86, abs=1e-12)


def test_under_compat_three_points_are_missed():
    eleven = MeanAveragePrecision(integral="11point", distinct_conf=True, compat="accuracy_checker")
    assert exact_points(eleven) == pytest.approx(0.8545454545, abs=1e-9)
    assert exact_points(dataclasses.replace(eleven, integral="max")) == pytest.approx(0.86, abs=1e-12)


ABSENT = [annotated(ROW[:2], [1, 2])], [detected(ROW[[0, 5]], [1, 3], [0.9, 0.8])]
"""A class that is found, one without detections, and detections of one that is not there."""


def test_classes_that_are_absent():
    result = value(MeanAveragePrecision(), *ABSENT)
    assert result.components == {"cat": 1.0, "dog": 0.0}
    assert result.value == 0.5


def test_classes_that_are_absent_under_compat():
    result = value(MeanAveragePrecision(compat="accuracy_checker"), *ABSENT)
    assert result.components == {"cat": 1.0, "cow": 0.0}
    assert result.value == 0.5


def test_boxes_set_aside_under_compat():
    """There they are held against the model on images without objects of their class."""
    annotations = [annotated(ROW[:1], [1]), annotated(ROW[:1], [2])]
    predictions = [detected(ROW[:1], [1], [0.5]), detected(ROW[:1], [1], [0.9], difficult=[True])]
    assert value(MeanAveragePrecision(), annotations, predictions).components == {"cat": 1.0, "dog": 0.0}
    compat = MeanAveragePrecision(compat="accuracy_checker")
    assert value(compat, annotations, predictions).components == {"cat": 0.5}


def test_difficult_objects_count_for_nothing():
    objects = [annotated(ROW[:2], [1, 1], difficult=[True, False])]
    found = [detected(ROW[[0, 1, 0]], [1, 1, 1], [0.9, 0.8, 0.7])]
    assert value(MeanAveragePrecision(), objects, found).value == 1.0
    assert value(MeanAveragePrecision(), objects, [found[0].where(np.array([0]))]).value == 0.0
    assert value(MeanAveragePrecision(ignore_difficult=False), objects, found).value == 1.0
    assert value(MeanAveragePrecision(ignore_difficult=False), objects, [found[0].where(np.array([1]))]).value == 0.5


def test_the_second_detection_of_a_difficult_object_is_false():
    objects = [annotated(ROW[:2], [1, 1], difficult=[True, False])]
    found = [detected(ROW[[0, 0, 1]], [1, 1, 1], [0.9, 0.8, 0.7])]
    assert value(MeanAveragePrecision(), objects, found).value == 0.5
    assert value(MeanAveragePrecision(allow_multiple_matches_per_ignored=True), objects, found).value == 1.0


def test_corners_are_pixels_by_default():
    objects, found = [annotated([[0, 0, 9, 9]], [1])], [detected([[0, 0, 9, 4]], [1], [0.9])]
    assert value(MeanAveragePrecision(), objects, found).value == 1.0
    assert value(MeanAveragePrecision(include_boundaries=False), objects, found).value == 0.0


def test_of_equal_scores_the_first_image_goes_first():
    objects = [annotated(ROW[:1], [1]), annotated([], [])]
    found = [detected(ROW[:1], [1], [0.5]), detected(ROW[:1], [1], [0.5])]
    assert value(MeanAveragePrecision(), objects, found).value == 1.0
    assert value(MeanAveragePrecision(), objects[::-1], found[::-1]).value == 0.5
    assert value(MeanAveragePrecision(distinct_conf=True), objects, found).value == 0.5


def test_the_background_is_no_class():
    result = value(MeanAveragePrecision(), [annotated(ROW[:2], [0, 1])], [detected(ROW[:2], [0, 1], [0.9, 0.8])])
    assert result.components == {"cat": 1.0}


def test_what_the_dataset_does_not_know_is_no_class():
    result = value(MeanAveragePrecision(), [annotated(ROW[:1], [1])], [detected(ROW[:2], [90, 1], [0.9, 0.8])])
    assert result.components == {"cat": 0.0}


def test_images_alone():
    objects = [annotated(ROW[:2], [1, 2]), annotated([], []), annotated(ROW[:1], [1])]
    found = [detected(ROW[:1], [1], [0.9]), detected(ROW[:1], [1], [0.8]), detected([], [], [])]
    result = value(MeanAveragePrecision(), objects, found)
    np.testing.assert_array_equal(result.per_sample, [0.5, np.nan, 0.0])
    assert (result.higher_is_better, result.bounded, result.unit) == (True, True, "")


def test_without_objects_there_is_no_value():
    result = value(MeanAveragePrecision(), [annotated([], [])], [detected([], [], [])])
    np.testing.assert_equal((result.value, dict(result.components)), (np.nan, {}))


def test_boxes_have_to_be_in_the_original_image():
    with pytest.raises(OutputError) as caught:
        value(MeanAveragePrecision(), [annotated([], [])], [detected([], [], [], frame="normalized")])
    assert str(caught.value) == (
        "boxes in the frame 'normalized' found, px of the original image expected; add resize_prediction_boxes to the "
        "postprocessing"
    )


def test_scores_have_to_be_numbers():
    with pytest.raises(OutputError, match=r"^NaN found among the scores of the boxes, numbers expected$"):
        value(MeanAveragePrecision(), [annotated([], [])], [detected(ROW[:1], [1], [np.nan])])


def test_without_samples_there_is_no_comparison():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected to compare boxes$"):
        MeanAveragePrecision().summarize([], META)


def test_names_are_needed():
    with pytest.raises(DataError, match=r"^the dataset has no label_map, the names of its classes; add a labels_file"):
        value(MeanAveragePrecision(), *ABSENT, meta=DatasetMeta())
    with pytest.raises(DataError) as caught:
        value(MeanAveragePrecision(), *ABSENT, meta=DatasetMeta({1: "cat"}))
    assert str(caught.value) == "label 2 is not in the label_map of 1 classes; correct one of them"
