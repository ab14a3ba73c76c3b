"""The accuracy metric against scikit-learn and a sort in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, top_k_accuracy_score

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.accuracy import Accuracy
from pytest_torchlauncher.types import DatasetMeta, Label, Scores

RNG = np.random.default_rng(0)


def observed(metric, labels, scores):
    return metric.observe([Label(int(label)) for label in labels], [Scores(row) for row in np.asarray(scores)])


def value(metric, labels, scores):
    return metric.summarize(observed(metric, labels, scores), DatasetMeta())


@pytest.mark.parametrize("k", [1, 2, 5, 9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_sklearn(k, dtype):
    labels, scores = RNG.integers(0, 10, 300), RNG.normal(size=(300, 10)).astype(dtype)
    expected = top_k_accuracy_score(labels, scores, k=k, labels=np.arange(10))
    assert value(Accuracy(top_k=k), labels, scores).value == pytest.approx(expected, abs=1e-12)


def test_top_1_agrees_with_sklearn_and_argmax():
    labels, scores = RNG.integers(0, 4, 200), RNG.integers(0, 3, (200, 4)).astype(np.float32)
    result = value(Accuracy(), labels, scores)
    assert result.value == pytest.approx(accuracy_score(labels, scores.argmax(axis=1)), abs=1e-12)
    np.testing.assert_array_equal(result.per_sample, labels == scores.argmax(axis=1))


@st.composite
def tied_scores(draw):
    classes = draw(st.integers(1, 6))
    row = st.lists(st.integers(-1, 1), min_size=classes, max_size=classes)
    rows = draw(st.lists(row, min_size=1, max_size=8))
    labels = [draw(st.integers(0, classes - 1)) for _ in rows]
    return labels, np.array(rows, np.float64), draw(st.integers(1, classes))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(tied_scores())
def test_of_equal_scores_the_lower_class_goes_first(case):
    labels, scores, k = case
    expected = [
        label in sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]
        for label, row in zip(labels, scores.tolist(), strict=True)
    ]
    assert observed(Accuracy(top_k=k), labels, scores) == expected


def test_all_classes_are_always_right():
    labels, scores = RNG.integers(0, 7, 20), np.zeros((20, 7))
    assert value(Accuracy(top_k=7), labels, scores).value == 1.0
    assert value(Accuracy(top_k=1), labels, scores).value == np.mean(labels == 0)


def test_infinite_scores_are_ranked():
    assert observed(Accuracy(), [1, 0], [[-np.inf, 0.0], [np.inf, np.inf]]) == [True, True]


def test_match_compares_the_predicted_class():
    labels, scores = RNG.integers(0, 5, 50), RNG.normal(size=(50, 5))
    assert observed(Accuracy(top_k=3, match=True), labels, scores) == observed(Accuracy(), labels, scores)


def test_class_indices_are_compared():
    labels = [Label(3), Label(0), Label(5)]
    assert Accuracy().observe(labels, [Label(3), Label(1), Label(5)]) == [True, False, True]
    assert Accuracy().observe(labels[:2], [Label(3), Scores(np.array([0.5, 0.5]))]) == [True, True]


def test_evidence_is_plain_and_a_value_for_each_sample():
    evidence = observed(Accuracy(), [0, 1], [[1, 0], [1, 0]])
    assert [type(item) for item in evidence] == [bool, bool]
    result = Accuracy().summarize(evidence, DatasetMeta())
    assert result.per_sample is not None
    assert (result.value, result.per_sample.tolist(), result.per_sample.dtype) == (0.5, [1.0, 0.0], np.float64)
    assert (result.higher_is_better, result.bounded, result.unit, dict(result.components)) == (True, True, "", {})


def test_the_batch_size_does_not_matter():
    labels, scores = RNG.integers(0, 10, 30), RNG.normal(size=(30, 10))
    whole = observed(Accuracy(top_k=3), labels, scores)
    parts = [observed(Accuracy(top_k=3), labels[i : i + 7], scores[i : i + 7]) for i in range(0, 30, 7)]
    assert whole == [right for part in parts for right in part]
    assert Accuracy().observe([], []) == []


def test_more_than_all_classes():
    with pytest.raises(OutputError) as caught:
        observed(Accuracy(top_k=5), [0], [[1, 2, 3]])
    assert str(caught.value) == "top_k: 5 found, at most 3 expected, the classes that the model tells apart"


@pytest.mark.parametrize("label", [12, 10, -1])
def test_a_label_outside_the_classes(label):
    with pytest.raises(OutputError) as caught:
        observed(Accuracy(), [3, label], np.zeros((2, 10)))
    assert (
        str(caught.value)
        == f"label {label} is outside the model's 10 classes (0 to 9); correct the labels, or take another model"
    )


def test_nan_never_wins():
    with pytest.raises(OutputError, match=r"^NaN found among the scores, numbers expected$"):
        observed(Accuracy(), [0], [[np.nan, 1]])


def test_without_samples_there_is_no_accuracy():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected for an accuracy$"):
        Accuracy().summarize([], DatasetMeta())
