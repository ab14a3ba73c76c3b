"""The mae metric against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from regression_samples import arrays, flat, measured
from sklearn.metrics import mean_absolute_error

from pytest_torchlauncher.metrics.mae import MeanAbsoluteError


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pair=arrays())
def test_agrees_with_sklearn(pair):
    result = measured(MeanAbsoluteError(), *pair)
    assert result.value == pytest.approx(mean_absolute_error(*map(flat, pair)), rel=1e-12)
    samples = [mean_absolute_error(a, p) for a, p in zip(*map(flat, pair), strict=True)]
    np.testing.assert_allclose(result.per_sample, samples, rtol=1e-12)
    assert result.components["std"] == pytest.approx(np.std(samples), abs=1e-12)


def test_compatible_values_average_mean_and_deviation():
    truth, estimate = np.zeros(2), np.array([1.0, -3.0])
    assert measured(MeanAbsoluteError(), truth, estimate).value == 2
    assert measured(MeanAbsoluteError(compat="accuracy_checker"), truth, estimate).value == (2 + 1) / 2
