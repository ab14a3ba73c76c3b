"""The mape metric against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from regression_samples import arrays, flat, measured
from sklearn.metrics import mean_absolute_percentage_error

from pytest_torchlauncher.metrics.mape import MeanAbsolutePercentageError


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pair=arrays())
def test_agrees_with_sklearn_zeros_among_the_truth(pair):
    result = measured(MeanAbsolutePercentageError(), *pair)
    assert result.value == pytest.approx(mean_absolute_percentage_error(*map(flat, pair)), rel=1e-12)
    samples = [mean_absolute_percentage_error(a, p) for a, p in zip(*map(flat, pair), strict=True)]
    np.testing.assert_allclose(result.per_sample, samples, rtol=1e-12)


def test_a_negative_truth_counts_as_far_off_as_a_positive_one():
    truth, estimate = np.array([2.0, -2.0]), np.array([3.0, -3.0])
    assert measured(MeanAbsolutePercentageError(), truth, estimate).value == 0.5
    compatible = measured(MeanAbsolutePercentageError(compat="accuracy_checker"), truth, estimate)
    assert compatible.components == {"mean": 0, "std": 0.5}
    assert compatible.value == 0.25


def test_a_true_zero_is_infinitely_far_off_only_where_compatible():
    truth, estimate = np.zeros((2, 1)), np.ones((2, 1))
    assert measured(MeanAbsolutePercentageError(), truth, estimate).value == 1 / np.finfo(np.float64).eps
    compatible = measured(MeanAbsolutePercentageError(compat="accuracy_checker"), truth, estimate)
    assert compatible.components["mean"] == np.inf
    assert np.isnan(compatible.value)
