"""The curves of precision over recall against pycocotools."""

import numpy as np
import pytest
from coco_oracle import curves
from detection_cases import META, annotated, detected, random_images
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.metrics.coco_orig_precision import CocoOrigPrecision
from pytest_torchlauncher.metrics.coco_precision import CocoPrecision
from pytest_torchlauncher.metrics.map import MeanAveragePrecision
from pytest_torchlauncher.types import DatasetMeta

random_data = settings(max_examples=40, deadline=None, derandomize=True)
ROW = np.array([[20.0 * i, 0.0, 20.0 * i + 10, 10.0] for i in range(9)])


def curves_of(metric, annotations, predictions, meta=META):
    return metric.curves(metric.observe(annotations, predictions), meta)


@random_data
@given(st.integers(0, 2**32 - 1), st.sampled_from([(0.5,), (0.75, 0.5)]))
def test_agree_with_pycocotools(seed, thresholds):
    annotations, predictions = random_images(seed)
    expected = curves(annotations, predictions, thresholds)
    drawn = curves_of(CocoPrecision(threshold=thresholds), annotations, predictions)
    own = {name.rpartition(" (")[0]: curve for name, curve in drawn.items() if not name.startswith("mean of")}
    assert own.keys() == {META.label_map[label] for label in expected}
    for label, precision in expected.items():
        np.testing.assert_allclose(own[META.label_map[label]].y, precision, atol=1e-12)
        np.testing.assert_allclose(own[META.label_map[label]].x, np.linspace(0, 1, 101))
    if len(expected) > 1:
        mean = drawn[f"mean of {len(expected)} classes"]
        np.testing.assert_allclose(mean.y, np.mean(list(expected.values()), axis=0), atol=1e-12)


@random_data
@given(st.integers(0, 2**32 - 1))
def test_the_official_evaluation_has_the_same(seed):
    annotations, predictions = random_images(seed)
    plain = [a.where(~a.difficult) for a in annotations]
    ours, coco = (curves_of(metric(), plain, predictions) for metric in (CocoPrecision, CocoOrigPrecision))
    assert ours.keys() == coco.keys()
    for name, curve in ours.items():
        np.testing.assert_allclose(coco[name].y, curve.y, atol=1e-12)


def test_voc_takes_the_highest_precision_at_each_recall_or_above():
    objects = [annotated(ROW[:2], [1, 1])]
    found = [detected(ROW[[0, 5, 1]], [1, 1, 1], [0.9, 0.8, 0.7])]
    (curve,) = curves_of(MeanAveragePrecision(), objects, found).values()
    assert curve.y[:51].tolist() == [1.0] * 51
    assert curve.y[51:] == pytest.approx([2 / 3] * 50)


def test_of_many_classes_those_with_most_objects_have_one():
    labels = [label for label in range(1, 10) for _ in range(label)]
    objects = [annotated(np.repeat(ROW[:1], len(labels), axis=0), labels)]
    meta = DatasetMeta({label: f"class {label}" for label in range(10)})
    drawn = curves_of(CocoPrecision(), objects, [detected(ROW[:0], [], [])], meta)
    assert list(drawn) == ["mean of 9 classes", *(f"class {label} ({label})" for label in range(9, 3, -1))]


def test_there_are_none_without_objects():
    assert curves_of(CocoPrecision(), [annotated([], [])], [detected(ROW[:1], [1], [0.5])]) == {}
    assert curves_of(CocoOrigPrecision(), [annotated([], [])], [detected(ROW[:1], [1], [0.5])]) == {}
