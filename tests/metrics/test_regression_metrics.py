"""What holds for all errors between values: shapes, depth maps, components, compatibility, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.mae import MeanAbsoluteError
from pytest_torchlauncher.metrics.mape import MeanAbsolutePercentageError
from pytest_torchlauncher.metrics.mse import MeanSquaredError
from pytest_torchlauncher.metrics.relative_l2_error import RelativeL2Error
from pytest_torchlauncher.metrics.rmse import RootMeanSquaredError
from pytest_torchlauncher.types import DatasetMeta, DepthMap, Image, Matte, Values

METRICS = [
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    RelativeL2Error,
    RootMeanSquaredError,
]
OF_NUMBERS = [metric for metric in METRICS if metric is not RelativeL2Error]
RNG = np.random.default_rng(0)
COMPAT = {"compat": "accuracy_checker"}

every_metric = pytest.mark.parametrize("metric", METRICS)


def measured(metric, annotations, predictions, **options):
    block = metric(**options)
    return block.summarize(block.observe(annotations, predictions), DatasetMeta())


def random_values(rng, count, shape=(3, 4)):
    return [Values(rng.normal(size=shape)) for _ in range(count)]


@every_metric
@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 8))
def test_mean_deviation_and_largest_are_those_of_the_samples_errors(metric, seed, count):
    rng = np.random.default_rng(seed)
    truth, estimates = random_values(rng, count), random_values(rng, count)
    alone = [measured(metric, [a], [p]).value for a, p in zip(truth, estimates, strict=True)]
    result = measured(metric, truth, estimates, max_error=True)
    np.testing.assert_allclose(result.per_sample, alone, rtol=1e-12)
    expected = {"mean": np.mean(alone), "std": np.std(alone), "max_error": max(alone)}
    assert result.components == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert result.value == result.components["mean"]


@every_metric
@pytest.mark.parametrize("options", [{}, COMPAT], ids=["plain", "compat"])
def test_vectors_measure_the_same_together_and_alone(metric, options):
    truth, estimates = random_values(RNG, 5, (300,)), random_values(RNG, 5, (300,))
    block = metric(**options)
    together = block.observe(truth, estimates)
    other = random_values(RNG, 1, (2,))
    of_two_lengths = block.observe(truth + other, estimates + other)
    for index, evidence in enumerate(together):
        np.testing.assert_array_equal(evidence, of_two_lengths[index])
        np.testing.assert_array_equal(evidence, block.observe([truth[index]], [estimates[index]])[0])


@every_metric
def test_its_direction_and_scale(metric):
    result = measured(metric, random_values(RNG, 3), random_values(RNG, 3))
    assert (result.higher_is_better, result.bounded, result.unit) == (False, False, "")
    assert list(result.components) == ["mean", "std"]


@every_metric
def test_any_evidence_may_be_summarized(metric):
    block = metric()
    evidence = block.observe(random_values(RNG, 4), random_values(RNG, 4))
    whole = block.summarize(evidence, DatasetMeta()).per_sample
    resampled = block.summarize([evidence[i] for i in (3, 1, 1)], DatasetMeta())
    np.testing.assert_array_equal(resampled.per_sample, whole[[3, 1, 1]])
    assert resampled.value == pytest.approx(whole[[3, 1, 1]].mean(), rel=1e-12)
    assert block.summarize(evidence[:1], DatasetMeta()).components["std"] == 0


@every_metric
def test_perfect_estimates_have_no_error(metric):
    truth = random_values(RNG, 3)
    assert measured(metric, truth, truth, max_error=True).components == {"mean": 0, "std": 0, "max_error": 0}


@every_metric
def test_every_kind_of_value_is_measured_alike(metric):
    truth, estimate = RNG.uniform(1, 255, (2, 4, 5))
    expected = measured(metric, [Values(truth)], [Values(estimate)]).value
    for kind in (Matte, DepthMap, Image):
        assert measured(metric, [kind(truth)], [kind(estimate)]).value == expected
    assert measured(metric, [DepthMap(truth)], [Values(estimate)]).value == expected


@every_metric
def test_whole_numbers_do_not_overflow(metric):
    truth, estimate = np.uint8([[1, 250], [255, 3]]), np.uint8([[255, 3], [1, 250]])
    expected = measured(metric, [Values(truth.astype(float))], [Values(estimate.astype(float))]).value
    assert measured(metric, [Image(truth)], [Image(estimate)]).value == expected


@every_metric
@pytest.mark.parametrize("shapes", [((), (1,)), ((5,), (1, 5)), ((4, 5, 1), (4, 5)), ((1, 4, 5), (4, 5))])
def test_axes_of_one_may_be_missing(metric, shapes):
    values = RNG.uniform(1, 2, (2, *shapes[0]))
    expected = measured(metric, [Values(values[0])], [Values(values[1])]).value
    assert measured(metric, [Values(values[0])], [Values(values[1].reshape(shapes[1]))]).value == expected
    assert measured(metric, [Values(values[0].reshape(shapes[1]))], [Values(values[1])]).value == expected


@every_metric
def test_only_known_depths_count(metric):
    truth, estimate = RNG.uniform(1, 2, (2, 6, 7))
    valid = RNG.random((6, 7)) < 0.6
    expected = measured(metric, [Values(truth[valid])], [Values(estimate[valid])]).value
    truth[~valid] = 1e9
    for depth in (DepthMap(truth, valid=valid), DepthMap(truth[..., np.newaxis], valid=valid)):
        assert measured(metric, [depth], [DepthMap(estimate)]).value == pytest.approx(expected, rel=1e-12)


@every_metric
def test_a_depth_map_without_known_depths_is_left_out(metric):
    known, unknown = DepthMap(np.full((2, 3), 2.0)), DepthMap(np.ones((2, 3)), valid=np.zeros((2, 3), dtype=bool))
    estimate = DepthMap(np.full((2, 3), 3.0))
    result = measured(metric, [known, unknown], [estimate, estimate])
    assert result.value == measured(metric, [known], [estimate]).value
    assert np.isnan(result.per_sample).tolist() == [False, True]
    compatible = measured(metric, [known, unknown], [estimate, estimate], **COMPAT)
    assert compatible.components["mean"] == pytest.approx(result.value / 2)
    assert compatible.per_sample[1] == 0


@every_metric
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4)])
@pytest.mark.parametrize("max_error", [False, True])
def test_compatible_values_are_means_of_all_components(metric, shape, max_error):
    result = measured(metric, random_values(RNG, 5, shape), random_values(RNG, 5, shape), max_error=max_error, **COMPAT)
    assert result.value == pytest.approx(sum(result.components.values()) / (2 + max_error), rel=1e-12)


@pytest.mark.parametrize("metric", OF_NUMBERS)
def test_compatible_vectors_count_number_by_number(metric):
    truth, estimates = random_values(RNG, 5, (4,)), random_values(RNG, 5, (4,))
    numbers = [[Values(number) for value in values for number in value.values] for values in (truth, estimates)]
    result = measured(metric, truth, estimates, max_error=True, **COMPAT)
    assert result.components == pytest.approx(measured(metric, *numbers, max_error=True, **COMPAT).components)
    assert len(result.per_sample) == 5
    rows = [Values(value.values[np.newaxis]) for value in truth]
    columns = [Values(value.values[np.newaxis]) for value in estimates]
    np.testing.assert_allclose(
        result.per_sample.mean(), measured(metric, *numbers, **COMPAT).components["mean"], rtol=1e-12
    )
    assert measured(metric, rows, columns, **COMPAT).components["std"] < result.components["std"]


@every_metric
@pytest.mark.parametrize(
    ("truth", "estimate"), [((3, 4), (12,)), ((3, 4), (4, 3)), ((5,), (1,)), ((4, 4), (8, 8)), ((), (2,))]
)
@pytest.mark.parametrize("options", [{}, COMPAT])
def test_sizes_must_be_equal(metric, truth, estimate, options):
    with pytest.raises(OutputError) as caught:
        measured(metric, [Values(np.ones(truth))], [Values(np.ones(estimate))], **options)
    assert str(caught.value) == (
        f"a prediction {estimate} for an annotation {truth} found, equal shapes expected; let the adapter keep the "
        "shape, or resize one of them in the postprocessing"
    )


@every_metric
@pytest.mark.parametrize("evidence", [[], [np.zeros(0)]])
def test_without_samples_there_is_no_error(metric, evidence):
    with pytest.raises(DataError, match=r"^no sample with known values found, at least one expected for a mean error$"):
        metric().summarize(evidence, DatasetMeta())
