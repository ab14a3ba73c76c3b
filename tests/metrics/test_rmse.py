"""The rmse metric against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from regression_samples import arrays, flat, measured
from sklearn.metrics import root_mean_squared_error

from pytest_torchlauncher.metrics.rmse import RootMeanSquaredError


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pair=arrays())
def test_agrees_with_sklearn_sample_by_sample(pair):
    result = measured(RootMeanSquaredError(), *pair)
    samples = [root_mean_squared_error(a, p) for a, p in zip(*map(flat, pair), strict=True)]
    np.testing.assert_allclose(result.per_sample, samples, rtol=1e-12)
    assert result.value == pytest.approx(np.mean(samples), rel=1e-12)
    assert result.components["std"] == pytest.approx(np.std(samples), abs=1e-12)


def test_compatible_vectors_have_no_root_of_a_mean():
    truth, estimate = np.zeros((1, 2)), np.array([[1.0, 7.0]])
    assert measured(RootMeanSquaredError(), truth, estimate).value == 5
    compatible = measured(RootMeanSquaredError(compat="accuracy_checker"), truth, estimate)
    assert compatible.components == {"mean": 4, "std": 3}
    assert compatible.value == 3.5
