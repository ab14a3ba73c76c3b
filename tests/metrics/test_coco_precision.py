"""The coco_precision metric against pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from coco_oracle import evaluated
from detection_cases import META, annotated, assert_any_collection_can_be_summarised, detected, random_images, value
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.coco_precision import CocoPrecision
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import DatasetMeta

random_data = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
ROW = np.array([[20.0 * i, 0.0, 20.0 * i + 10, 10.0] for i in range(9)])
COCO = tuple(np.linspace(0.5, 0.95, 10))


@random_data
@given(SEEDS, st.sampled_from([COCO, (0.5,), (0.75, 0.25), (1.0,)]), st.sampled_from([1, 2, 100]))
def test_agrees_with_pycocotools(seed, thresholds, max_detections):
    annotations, predictions = random_images(seed)
    metric = CocoPrecision(threshold=thresholds, max_detections=max_detections)
    expected = evaluated(annotations, predictions, thresholds, max_detections)
    result = value(metric, annotations, predictions)
    names = {META.label_map[label]: precision for label, (precision, _) in expected.items()}
    assert result.components == pytest.approx(names, abs=1e-12)
    np.testing.assert_allclose(result.value, np.mean(list(names.values())) if names else np.nan, atol=1e-12)


@random_data
@given(SEEDS, st.sampled_from([None, "accuracy_checker"]))
def test_any_collection_of_evidence_can_be_summarised(seed, compat):
    annotations, predictions = random_images(seed, aside=True)
    assert_any_collection_can_be_summarised(CocoPrecision(compat=compat), annotations, predictions)


def test_duplicates_are_false():
    objects = [annotated(ROW[:2], [1, 1])]
    found = [detected(ROW[[0, 0, 1]], [1, 1, 1], [0.9, 0.8, 0.7])]
    # Of 101 recalls 51 are reached with precision 1, the others with 2/3.
    assert value(CocoPrecision(), objects, found).value == pytest.approx((51 + 50 * 2 / 3) / 101, abs=1e-12)


def test_duplicates_of_the_surest_are_right_under_compat():
    compat = CocoPrecision(compat="accuracy_checker")
    objects = [annotated(ROW[:2], [1, 1])]
    assert value(compat, objects, [detected(ROW[[0, 0, 1]], [1, 1, 1], [0.9, 0.8, 0.7])]).value == 1.0
    # Only of the surest: the third detection is one of the second's object.
    found = [detected(ROW[[2, 0, 0, 1]], [1] * 4, [0.9, 0.8, 0.7, 0.6])]
    assert value(compat, objects, found).value == pytest.approx(0.5, abs=1e-12)
    assert value(CocoPrecision(), objects, found).value == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize(("compat", "limit"), [(None, 100), ("accuracy_checker", 20)])
def test_how_many_detections_count(compat, limit):
    objects = [annotated(ROW[:1], [1])]
    far = np.repeat(ROW[1:2], 150, axis=0)
    for false in (limit - 1, limit):
        found = detected(np.vstack([far[:false], ROW[:1], ROW[:1]]), [1] * false + [1, 2], np.linspace(1, 0, false + 2))
        expected = 1 / limit if false < limit else 0.0
        assert value(CocoPrecision(compat=compat), objects, [found]).value == pytest.approx(expected, abs=1e-12)


def test_a_crowd_takes_all_that_lies_in_it():
    objects = [annotated([[0, 0, 100, 100], [200, 0, 210, 10]], [1, 1], crowd=[True, False])]
    found = [detected([[0, 0, 10, 10], [20, 0, 40, 10], [200, 0, 210, 10]], [1, 1, 1], [0.9, 0.8, 0.7])]
    assert value(CocoPrecision(), objects, found).value == 1.0
    # There the overlap with a crowd is that with any box.
    assert value(CocoPrecision(compat="accuracy_checker"), objects, found).value == pytest.approx(1 / 3, abs=1e-12)


def test_boxes_set_aside_count_for_nothing():
    objects = [annotated(ROW[:2], [1, 1])]
    found = [detected(ROW[[5, 0, 1]], [1, 1, 1], [0.9, 0.8, 0.7], difficult=[True, False, True])]
    assert value(CocoPrecision(), objects, found).value == pytest.approx(51 / 101, abs=1e-12)


def test_absent_classes():
    result = value(CocoPrecision(), [annotated(ROW[:2], [1, 2])], [detected(ROW[[0, 5]], [1, 3], [0.9, 0.8])])
    assert (result.value, dict(result.components)) == (0.5, {"cat": 1.0, "dog": 0.0})


def test_images_alone():
    objects = [annotated(ROW[:2], [1, 2]), annotated([], [])]
    result = value(CocoPrecision(), objects, [detected(ROW[:1], [1], [0.9]), detected(ROW[:1], [1], [0.8])])
    np.testing.assert_array_equal(result.per_sample, [0.5, np.nan])
    assert (result.higher_is_better, result.bounded, result.unit) == (True, True, "")


@pytest.mark.parametrize(
    ("given_as", "thresholds"),
    [
        (0.5, (0.5,)),
        (1, (1.0,)),
        ("0.75", (0.75,)),
        ("0.5,0.75", (0.5, 0.75)),
        ([0.5, 0.75], (0.5, 0.75)),
        (".50:.05:.95", COCO),
        ("0.5:0.05:0.95", COCO),
        ("0.5:0.1:0.7", (0.5, 0.6, 0.7)),
    ],
)
def test_thresholds(given_as, thresholds):
    metric = construct(CocoPrecision, {"threshold": given_as}, Context())
    assert metric.threshold == pytest.approx(thresholds, abs=1e-15)
    assert CocoPrecision().threshold == COCO


@pytest.mark.parametrize(
    ("given_as", "found"),
    [
        (0, "0"),
        (1.5, "1.5"),
        ("half", "'half'"),
        ("0.9:0.05:0.5", "'0.9:0.05:0.5'"),
        ("0.5:0:0.9", "'0.5:0:0.9'"),
        ("0.5:0.9", "'0.5:0.9'"),
        ("0.5:0.1:0.95", "'0.5:0.1:0.95'"),
        ("0.5:0.5:0.6", "'0.5:0.5:0.6'"),
        ([], "a list"),
        ([[0.5, 0.6]], "a list"),
        (True, "true"),
        (None, "nothing"),
    ],
)
def test_what_is_no_threshold(given_as, found):
    with pytest.raises(ValueError, match="expected") as caught:
        construct(CocoPrecision, {"threshold": given_as}, Context())
    assert f"{found} found, numbers above 0 and up to 1 expected, or first:step:last in whole steps" in str(
        caught.value
    )


def test_boxes_have_to_be_in_the_original_image():
    with pytest.raises(OutputError, match=r"^boxes in the frame 'input' found, px of the original image expected; add"):
        value(CocoPrecision(), [annotated([], [])], [detected([], [], [], frame="input")])


def test_without_samples_there_is_no_comparison():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected to compare boxes$"):
        CocoPrecision().summarize([], META)


def test_every_object_needs_a_name():
    with pytest.raises(DataError, match=r"^label 2 is not in the label_map of 1 classes; correct one of them$"):
        value(CocoPrecision(), [annotated(ROW[:1], [2])], [detected([], [], [])], DatasetMeta({1: "cat"}))
