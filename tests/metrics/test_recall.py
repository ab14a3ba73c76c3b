"""The recall metric against a bipartite count and the precision-recall curve of the map metric."""

from __future__ import annotations

import numpy as np
import pytest
from detection_cases import META, annotated, assert_any_collection_can_be_summarised, detected, random_images, value
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.recall import Recall

random_data = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
ROW = np.array([[20.0 * i, 0.0, 20.0 * i + 9, 9.0] for i in range(9)])


def area(box):
    return (box[2] - box[0] + 1) * (box[3] - box[1] + 1)


def iou(first, second):
    width, height = (max(0, min(first[i + 2], second[i + 2]) - max(first[i], second[i]) + 1) for i in (0, 1))
    return width * height / (area(first) + area(second) - width * height)


def targets(annotation, prediction, label, threshold):
    """Return the easy objects of `label` that are the nearest one of a detection, without regard to scores."""
    objects = [(box, j) for j, box in enumerate(annotation.boxes.tolist()) if annotation.labels[j] == label]
    easy = [(box, j) for box, j in objects if not annotation.difficult[j]]
    found = set()
    for box in prediction.boxes[prediction.labels == label].tolist():
        near = [(iou(box, corners), -j) for corners, j in easy if iou(box, corners) >= threshold]
        found |= {-max(near)[1]} if near else set()
    return len(found), len(easy)


@random_data
@given(SEEDS, st.sampled_from([0.3, 0.5, 0.75]))
def test_an_object_is_found_that_is_the_nearest_of_a_detection(seed, threshold):
    annotations, predictions = random_images(seed)
    expected = {}
    for label in range(1, 5):
        counts = [targets(a, p, label, threshold) for a, p in zip(annotations, predictions, strict=True)]
        found, there = map(sum, zip(*counts, strict=True))
        if there:
            expected[META.label_map[label]] = found / there
    result = value(Recall(overlap_threshold=threshold), annotations, predictions)
    assert result.components == expected
    np.testing.assert_allclose(result.value, np.mean(list(expected.values())) if expected else np.nan)


@random_data
@given(SEEDS, st.sampled_from([None, "accuracy_checker"]))
def test_any_collection_of_evidence_can_be_summarised(seed, compat):
    annotations, predictions = random_images(seed, aside=True)
    assert_any_collection_can_be_summarised(Recall(compat=compat), annotations, predictions)


def test_classes_that_are_absent():
    case = [annotated(ROW[:3], [1, 1, 2])], [detected(ROW[[0, 5]], [1, 3], [0.9, 0.8])]
    result = value(Recall(), *case)
    assert (result.value, dict(result.components)) == (0.25, {"cat": 0.5, "dog": 0.0})
    compat = value(Recall(compat="accuracy_checker"), *case)
    assert (compat.value, dict(compat.components)) == (0.25, {"cat": 0.5, "cow": 0.0})


def test_distinct_scores_change_nothing():
    annotations, predictions = random_images(5)
    expected = value(Recall(), annotations, predictions).components
    assert expected
    assert value(Recall(distinct_conf=True), annotations, predictions).components == expected


def test_boxes_set_aside_find_nothing_unless_they_may():
    case = [annotated(ROW[:2], [1, 1])], [detected(ROW[:2], [1, 1], [0.9, 0.8], difficult=[True, False])]
    assert value(Recall(), *case).value == 0.5
    assert value(Recall(use_filtered_tp=True), *case).value == 1.0
    assert value(Recall(ignore_difficult=False), *case).value == 1.0


def test_images_alone():
    objects = [annotated(ROW[:2], [1, 2]), annotated([], [])]
    result = value(Recall(), objects, [detected(ROW[:1], [1], [0.9]), detected(ROW[:1], [1], [0.8])])
    np.testing.assert_array_equal(result.per_sample, [0.5, np.nan])
    assert (result.higher_is_better, result.bounded, result.unit) == (True, True, "")


def test_boxes_have_to_be_in_the_original_image():
    with pytest.raises(OutputError, match=r"^boxes in the frame 'input' found, px of the original image expected; add"):
        value(Recall(), [annotated([], [])], [detected([], [], [], frame="input")])


def test_without_samples_there_is_no_comparison():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected to compare boxes$"):
        Recall().summarize([], META)
