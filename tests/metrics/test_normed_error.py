"""The normed_error metric against a plain loop over its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landmark_samples import EYES, faces, point_errors

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.normed_error import NormedError
from pytest_torchlauncher.types import DatasetMeta, Landmarks

FACE = Landmarks(np.array([[2.0, 0], [0, 0], [8, 0], [10, 0], [5, 5]]), eyes=EYES)


def measured(annotations, predictions, **options):
    metric = NormedError(**options)
    return metric.summarize(metric.observe(annotations, predictions), DatasetMeta())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pair=faces(), percentile=st.integers(1, 100))
def test_agrees_with_its_definition(pair, percentile):
    samples = [np.mean(point_errors(*face)) for face in zip(*pair, strict=True)]
    result = measured(*pair, calculate_std=True, percentile=percentile)
    np.testing.assert_allclose(result.per_sample, samples, rtol=1e-12, atol=1e-12)
    expected = {
        "mean": np.mean(samples),
        "std": np.std(samples),
        f"{percentile}th percentile": np.percentile(samples, percentile),
    }
    assert result.components == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert result.value == result.components["mean"]
    assert (result.higher_is_better, result.bounded) == (False, False)


def test_a_distance_is_one_where_it_is_that_of_the_eyes():
    result = measured([FACE], [Landmarks(FACE.points + np.array([0, 8]))])
    assert result.value == pytest.approx(1)
    assert result.components == {"mean": result.value}


@pytest.mark.parametrize("percentile", [None, 0])
def test_a_percentile_may_be_left_out(percentile):
    assert list(measured([FACE], [FACE], percentile=percentile).components) == ["mean"]


def errors(count):
    return [float(index) for index in reversed(range(count))]


@pytest.mark.parametrize(
    ("count", "percentile", "expected"), [(10, 90, 9), (10, 25, 2), (1, 50, 0), (4, 100, 3), (70, 90, 62)]
)
def test_compatible_percentiles_are_errors_of_a_sample(count, percentile, expected):
    metric = NormedError(percentile=percentile, compat="accuracy_checker")
    result = metric.summarize(errors(count), DatasetMeta())
    assert result.components[f"{percentile}th percentile"] == expected
    assert result.value == pytest.approx((result.components["mean"] + expected) / 2)


def test_compatible_values_average_mean_and_deviation():
    metric = NormedError(calculate_std=True, compat="accuracy_checker")
    assert metric.summarize([1.0, 3.0], DatasetMeta()).value == (2 + 1) / 2
    assert NormedError(compat="accuracy_checker").summarize([1.0, 3.0], DatasetMeta()).value == 2


def test_eyes_on_one_point_give_a_large_error():
    annotation = Landmarks(np.zeros((4, 2)), eyes=EYES)
    assert measured([annotation], [Landmarks(np.ones((4, 2)))]).value > 1e15


def test_any_evidence_may_be_summarized():
    result = NormedError(calculate_std=True).summarize([2.0, 2.0, 5.0], DatasetMeta())
    assert result.components == {"mean": 3, "std": pytest.approx(2**0.5)}
    np.testing.assert_array_equal(result.per_sample, [2, 2, 5])


@pytest.mark.parametrize(
    ("annotation", "prediction", "message"),
    [
        (
            FACE,
            Landmarks(np.zeros((4, 2))),
            "4 landmarks found for 5 annotated ones; check the adapter's options and the model's output",
        ),
        (
            FACE,
            Landmarks(np.zeros((5, 2)), "normalized"),
            "landmarks in the frame 'normalized' found for annotated ones in 'original'; add "
            "normalize_landmarks_points to the postprocessing",
        ),
        (
            Landmarks(np.zeros((5, 2))),
            FACE,
            "eyes ((), ()) of 5 landmarks found, indices of landmarks of the left and of the right eye expected from "
            "the converter",
        ),
        (
            Landmarks(np.zeros((3, 2)), eyes=EYES),
            Landmarks(np.zeros((3, 2))),
            "eyes ((1, 0), (2, 3)) of 3 landmarks found, indices of landmarks of the left and of the right eye "
            "expected from the converter",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(annotation, prediction, message):
    with pytest.raises(OutputError) as caught:
        measured([annotation], [prediction])
    assert str(caught.value) == message


@pytest.mark.parametrize("percentile", [-1, 101])
def test_percentiles_are_checked(percentile):
    with pytest.raises(ValueError, match=f"^percentile: {percentile} found, 0 to 100 expected$"):
        NormedError(percentile=percentile)


def test_without_samples_there_is_no_error():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected for a mean error$"):
        NormedError().summarize([], DatasetMeta())
