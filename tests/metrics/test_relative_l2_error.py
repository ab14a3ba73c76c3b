"""The relative_l2_error metric against norms of SciPy and NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from regression_samples import arrays, flat, measured
from scipy.spatial.distance import euclidean

from pytest_torchlauncher.metrics.relative_l2_error import RelativeL2Error

EPSILON = np.finfo(np.float64).eps


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pair=arrays())
def test_agrees_with_distances(pair):
    result = measured(RelativeL2Error(), *pair)
    samples = [euclidean(a, p) / (math.hypot(*a) + EPSILON) for a, p in zip(*map(flat, pair), strict=True)]
    np.testing.assert_allclose(result.per_sample, samples, rtol=1e-10)
    assert result.value == pytest.approx(np.mean(samples), rel=1e-10)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(pair=arrays())
def test_compatible_norms_of_matrices_are_singular_values(pair):
    result = measured(RelativeL2Error(compat="accuracy_checker"), *pair)
    norm = spectral if pair[0].ndim == 3 else lambda values: math.hypot(*values.ravel())
    samples = [norm(a - p) / (norm(a) + EPSILON) for a, p in zip(*pair, strict=True)]
    np.testing.assert_allclose(result.per_sample, samples, rtol=1e-7)
    assert result.components["std"] == pytest.approx(np.std(samples), rel=1e-7, abs=1e-7)


def spectral(matrix):
    return math.sqrt(max(np.linalg.eigvalsh(matrix @ matrix.T)))


def test_a_truth_of_zeros_gives_a_large_error():
    assert measured(RelativeL2Error(), np.zeros((1, 2)), np.array([[3.0, 4.0]])).value == 5 / EPSILON
