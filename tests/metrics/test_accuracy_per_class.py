"""The accuracy_per_class metric against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.accuracy_per_class import AccuracyPerClass
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import DatasetMeta, Label, Scores

RNG = np.random.default_rng(0)
NAMES = DatasetMeta({i: f"class {i}" for i in range(5)})


def value(labels, scores, meta=NAMES, **options):
    metric = AccuracyPerClass(**options)
    rows = [Scores(row) for row in np.asarray(scores)]
    return metric.summarize(metric.observe([Label(int(label)) for label in labels], rows), meta)


def test_agrees_with_sklearn():
    labels, scores = RNG.integers(0, 5, 100), RNG.normal(size=(100, 5))
    predicted = scores.argmax(axis=1)
    result = value(labels, scores)
    assert result.value == pytest.approx(balanced_accuracy_score(labels, predicted), abs=1e-12)
    recalls = recall_score(labels, predicted, average=None)
    assert result.components == pytest.approx({f"class {i}": r for i, r in enumerate(recalls)}, abs=1e-12)
    np.testing.assert_array_equal(result.per_sample, predicted == labels)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_a_class_without_samples_is_left_out():
    labels, scores = RNG.choice([0, 2, 3], 60), RNG.normal(size=(60, 5))
    result = value(labels, scores)
    assert result.value == pytest.approx(balanced_accuracy_score(labels, scores.argmax(axis=1)), abs=1e-12)
    assert list(result.components) == ["class 0", "class 2", "class 3"]


def test_top_k():
    scores = [[3, 2, 1, 0, 0], [3, 2, 1, 0, 0], [3, 2, 1, 0, 0]]
    assert value([0, 1, 2], scores, top_k=2).components == {"class 0": 1.0, "class 1": 1.0, "class 2": 0.0}
    assert value([0, 1, 2], scores).value == pytest.approx(1 / 3)


def test_each_class_counts_alike():
    assert value([0, 0, 0, 1], [[1, 0]] * 4).value == 0.5


def test_class_indices_are_compared():
    metric = AccuracyPerClass()
    evidence = metric.observe([Label(1), Label(1)], [Label(1), Label(0)])
    assert evidence == [(1, True), (1, False)]
    assert metric.summarize(evidence, NAMES).components == {"class 1": 0.5}


def test_classes_of_one_name_are_told_apart():
    meta = DatasetMeta({0: "crane", 1: "cat", 2: "crane"})
    assert value([0, 1, 2], np.eye(3)[[0, 1, 1]], meta).components == {"crane (0)": 1.0, "cat": 1.0, "crane (2)": 0.0}


def test_names_are_needed():
    with pytest.raises(DataError) as caught:
        value([0], [[1, 0]], DatasetMeta())
    assert str(caught.value) == (
        "the dataset has no label_map, the names of its classes; add a labels_file or dataset_meta_file to its "
        "annotation_conversion, or let its fixture give a Dataset with meta"
    )


def test_every_label_needs_a_name():
    with pytest.raises(DataError) as caught:
        value([0, 7], np.eye(8)[[0, 7]])
    assert str(caught.value) == "label 7 is not in the label_map of 5 classes; correct one of them"


def test_without_samples_there_is_no_accuracy():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected for an accuracy$"):
        AccuracyPerClass().summarize([], NAMES)


def test_what_the_ranking_refuses():
    with pytest.raises(OutputError, match=r"^top_k: 3 found, at most 2 expected"):
        value([0], [[1, 0]], top_k=3)


def test_the_label_map_has_one_name():
    assert construct(AccuracyPerClass, {"label_map": "label_map"}, Context()) == AccuracyPerClass()
    with pytest.raises(ValueError, match="'other' found, 'label_map' expected"):
        construct(AccuracyPerClass, {"label_map": "other"}, Context())
