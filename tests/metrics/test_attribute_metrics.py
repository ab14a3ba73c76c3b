"""The metrics of attributes against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.kinds import Metric
from pytest_torchlauncher.metrics.f1_score import F1Score
from pytest_torchlauncher.metrics.multi_accuracy import MultiAccuracy
from pytest_torchlauncher.metrics.multi_precision import MultiPrecision
from pytest_torchlauncher.metrics.multi_recall import MultiRecall
from pytest_torchlauncher.options import Component, construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import Attributes, DatasetMeta

RNG = np.random.default_rng(0)
ORACLES = [
    (MultiAccuracy, accuracy_score, {}),
    (MultiPrecision, precision_score, {"zero_division": 0}),
    (MultiRecall, recall_score, {"zero_division": 0}),
    (F1Score, f1_score, {"zero_division": 0}),
]
METRICS = [metric for metric, _, _ in ORACLES]

each = pytest.mark.parametrize("metric", METRICS)


def meta(count):
    return DatasetMeta({index: f"attribute {index}" for index in range(count)})


def observed(metric, truth, estimate):
    rows = ([Attributes(np.asarray(row)) for row in array] for array in (truth, estimate))
    return metric.observe(*rows)


def measured(metric, truth, estimate):
    return metric.summarize(observed(metric, truth, estimate), meta(len(truth[0])))


def drawn(seed, shape, share):
    """Return annotations and predictions (N, K); some attributes always or never there, some never annotated."""
    rng = np.random.default_rng(seed)
    truth, estimate = (rng.random(shape) < rng.choice([0, 0.3, 0.6, 1], shape[1]) for _ in range(2))
    known = rng.random(shape) < rng.choice([0, share, 1], shape[1])
    return np.where(known, truth, -1), estimate.astype(np.int64)


def oracle(function, options, truth, estimate):
    known = truth != -1
    return function(truth[known], estimate[known], **options)


@pytest.mark.parametrize(("metric", "function", "options"), ORACLES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 999), count=st.integers(1, 9), attributes=st.integers(1, 5), share=st.sampled_from([0.2, 0.7])
)
def test_agrees_with_sklearn(metric, function, options, seed, count, attributes, share):
    truth, estimate = drawn(seed, (count, attributes), share)
    assume((truth != -1).any())
    expected = {
        f"attribute {k}": oracle(function, options, truth[:, k], estimate[:, k])
        for k in range(attributes)
        if (truth[:, k] != -1).any()
    }
    average = oracle(function, options, truth, estimate)
    result = measured(metric(), truth, estimate)
    assert result.value == pytest.approx(average, abs=1e-12)
    assert result.components == pytest.approx({**expected, "average": average}, abs=1e-12)
    alone = measured(metric(calculate_average=False), truth, estimate)
    assert alone.value == pytest.approx(np.mean(list(expected.values())), abs=1e-12)
    assert alone.components == pytest.approx(expected, abs=1e-12)
    for index, found in enumerate(result.per_sample):
        if not np.isnan(found):
            assert found == pytest.approx(oracle(function, options, truth[index], estimate[index]), abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        (MultiAccuracy, [0.5, np.nan, 1, 0]),
        (MultiPrecision, [0.5, np.nan, np.nan, np.nan]),
        (MultiRecall, [0.5, np.nan, np.nan, 0]),
        (F1Score, [0.5, np.nan, np.nan, 0]),
    ],
)
def test_a_sample_of_which_nothing_can_be_said(metric, values):
    truth = [[1, 1, 0, 0, -1], [-1] * 5, [0, 0, 0, -1, -1], [1, 1, -1, -1, -1]]
    estimate = [[1, 0, 1, 0, 1], [1] * 5, [0, 0, 0, 1, 1], [0, 0, 1, 1, 1]]
    np.testing.assert_array_equal(measured(metric(), truth, estimate).per_sample, values)


@each
def test_perfect_and_direction(metric):
    truth = np.array([[1, 0, 1], [0, 1, 1]])
    result = measured(metric(), truth, truth)
    assert (result.value, result.higher_is_better, result.bounded) == (1, True, True)
    assert result.components == {"attribute 0": 1, "attribute 1": 1, "attribute 2": 1, "average": 1}


@each
def test_a_resampling_is_a_dataset_of_its_own(metric):
    truth, estimate = RNG.integers(-1, 2, (20, 4)), RNG.integers(0, 2, (20, 4))
    rows = RNG.integers(0, 20, 30)
    evidence = observed(metric(), truth, estimate)
    result = metric().summarize([evidence[row] for row in rows], meta(4))
    alone = measured(metric(), truth[rows], estimate[rows])
    assert result.value == alone.value
    assert result.components == alone.components
    np.testing.assert_array_equal(result.per_sample, alone.per_sample)


@each
def test_samples_must_say_something(metric):
    for truth in ([], [[-1, -1]], [[-1, -1]] * 3):
        with pytest.raises(DataError) as caught:
            metric().summarize(observed(metric(), truth, truth), meta(2))
        expected = f"no annotated attribute found in {len(truth)} samples, at least one expected"
        assert str(caught.value) == expected


def test_names_are_needed():
    evidence = observed(MultiAccuracy(), [[1, 0, 1]], [[1, 0, 1]])
    with pytest.raises(DataError, match=r"^the dataset has no label_map, the names of its classes; add a labels_file"):
        MultiAccuracy().summarize(evidence, DatasetMeta())
    with pytest.raises(DataError, match=r"^label 2 is not in the label_map of 2 classes; correct one of them$"):
        MultiAccuracy().summarize(evidence, meta(2))


def test_as_many_attributes_are_predicted_as_annotated():
    with pytest.raises(OutputError) as caught:
        observed(MultiRecall(), [[1, 0, 1]], [[1, 0]])
    assert str(caught.value) == (
        "2 attributes found for 3 annotated ones; correct the annotations or the adapter's options"
    )


def test_all_samples_have_as_many_attributes():
    evidence = observed(MultiRecall(), [[1, 0, 1], [1, 0]], [[1, 0, 1], [1, 0]])
    with pytest.raises(DataError, match=r"^samples with 2 and 3 attributes found, the same in all expected$"):
        MultiRecall().summarize(evidence, meta(3))


def test_f1_score_is_found_by_its_name():
    component = Component.build(Metric, {"type": "f1-score", "calculate_average": False})
    assert component.block == F1Score(calculate_average=False)


@each
def test_the_label_map_has_one_name(metric):
    assert construct(metric, {"label_map": "label_map"}, Context()) == metric()
    with pytest.raises(ValueError, match="'other' found, 'label_map' expected"):
        construct(metric, {"label_map": "other"}, Context())


@pytest.mark.parametrize(
    ("metric", "average", "expected"),
    [
        (MultiAccuracy, True, 0.375),
        (MultiPrecision, True, 1 / 3),
        (MultiRecall, True, 0.375),
        (MultiRecall, False, 1 / 3),
    ],
)
def test_compat_is_the_mean_of_all_components(metric, average, expected):
    truth, estimate = [[1, 0, -1], [0, 1, -1], [1, 1, -1]], [[1, 0, 1]] * 3
    found = measured(metric(compat="accuracy_checker", calculate_average=average), truth, estimate)
    assert found.components == measured(metric(calculate_average=average), truth, estimate).components
    assert found.value == pytest.approx(expected)
