"""The coco_recall metric against pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from coco_oracle import evaluated
from detection_cases import META, annotated, assert_any_collection_can_be_summarised, detected, random_images, value
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.coco_recall import CocoRecall

random_data = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
ROW = np.array([[20.0 * i, 0.0, 20.0 * i + 10, 10.0] for i in range(9)])
COCO = tuple(np.linspace(0.5, 0.95, 10))


@random_data
@given(SEEDS, st.sampled_from([COCO, (0.5,), (0.75, 0.25)]), st.sampled_from([1, 2, 100]))
def test_agrees_with_pycocotools(seed, thresholds, max_detections):
    annotations, predictions = random_images(seed)
    metric = CocoRecall(threshold=thresholds, max_detections=max_detections)
    expected = evaluated(annotations, predictions, thresholds, max_detections)
    result = value(metric, annotations, predictions)
    names = {META.label_map[label]: recall for label, (_, recall) in expected.items()}
    assert result.components == pytest.approx(names, abs=1e-12)
    np.testing.assert_allclose(result.value, np.mean(list(names.values())) if names else np.nan, atol=1e-12)


@random_data
@given(SEEDS, st.sampled_from([None, "accuracy_checker"]))
def test_any_collection_of_evidence_can_be_summarised(seed, compat):
    annotations, predictions = random_images(seed, aside=True)
    assert_any_collection_can_be_summarised(CocoRecall(compat=compat), annotations, predictions)


@pytest.mark.parametrize(
    ("objects", "found", "recall", "compat"),
    [
        ([0], [0, 0], 1.0, 2.0),
        ([0, 1], [0, 0, 1], 1.0, 1.5),
        ([0, 1], [0, 1, 1], 1.0, 1.0),
        ([0, 1], [2, 0, 0], 0.5, 0.5),
        ([0], [0, 0, 0], 1.0, 2.0),
    ],
)
def test_an_object_is_found_once(objects, found, recall, compat):
    case = (
        [annotated(ROW[objects], [1] * len(objects))],
        [detected(ROW[found], [1] * len(found), [0.9, 0.8, 0.7][: len(found)])],
    )
    assert value(CocoRecall(), *case).value == recall
    assert value(CocoRecall(compat="accuracy_checker"), *case).value == compat


def test_the_surest_of_each_class_is_meant_under_compat():
    case = [annotated(ROW[:2], [1, 2])], [detected(ROW[[0, 1, 1]], [1, 2, 2], [0.9, 0.8, 0.7])]
    assert value(CocoRecall(compat="accuracy_checker"), *case).components == {"cat": 1.0, "dog": 2.0}
    assert value(CocoRecall(), *case).components == {"cat": 1.0, "dog": 1.0}


def test_a_difficult_object_is_taken_only_where_there_is_no_other():
    objects = [annotated([[0, 0, 10, 10], [1, 0, 11, 10]], [1, 1], difficult=[True, False])]
    found = [detected([[0, 0, 10, 10]], [1], [0.9])]
    assert value(CocoRecall(threshold=(0.5,)), objects, found).value == 1.0


def test_images_alone():
    objects = [annotated(ROW[:2], [1, 2]), annotated([], [])]
    result = value(CocoRecall(), objects, [detected(ROW[:1], [1], [0.9]), detected(ROW[:1], [1], [0.8])])
    np.testing.assert_array_equal(result.per_sample, [0.5, np.nan])
    assert result.components == {"cat": 1.0, "dog": 0.0}


def test_boxes_have_to_be_in_the_original_image():
    with pytest.raises(OutputError, match=r"^boxes in the frame 'input' found, px of the original image expected; add"):
        value(CocoRecall(), [annotated([], [])], [detected([], [], [], frame="input")])


def test_without_samples_there_is_no_comparison():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected to compare boxes$"):
        CocoRecall().summarize([], META)
