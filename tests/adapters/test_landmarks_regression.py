"""The landmarks_regression adapter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.landmarks_regression import LandmarksRegression
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, Label, Landmarks, Outputs, Sample

RNG = np.random.default_rng(0)


def adapted(outputs, batch, **options):
    samples = tuple(Sample(str(index), np.zeros((8, 8, 3)), Label(0)) for index in range(batch))
    outputs = outputs if isinstance(outputs, dict) else {"output": outputs}
    predictions = LandmarksRegression(**options).adapt(Outputs(outputs), Batch(samples))
    assert all(isinstance(prediction, Landmarks) for prediction in predictions)
    assert all(prediction.frame == "normalized" for prediction in predictions)
    assert all(prediction.points.dtype == np.float64 for prediction in predictions)
    return [prediction.points for prediction in predictions]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("shape", [(10,), (10, 1, 1), (5, 2), (1, 10)])
def test_coordinates_alternate(batch, shape):
    rows = RNG.random((batch, 10)).astype(np.float32)
    for points, row in zip(adapted(rows.reshape(batch, *shape), batch), rows, strict=True):
        np.testing.assert_array_equal(points[:, 0], row[::2])
        np.testing.assert_array_equal(points[:, 1], row[1::2])


def test_a_single_sample_may_come_without_the_axis_of_the_batch():
    (points,) = adapted(np.arange(6), 1)
    np.testing.assert_array_equal(points, [[0, 1], [2, 3], [4, 5]])


@pytest.mark.parametrize("is_hand_landmarks", [False, True])
def test_a_landmark_may_have_more_than_two_numbers(is_hand_landmarks):
    (points,) = adapted(np.arange(9).reshape(1, 9), 1, landmarks_step=3, is_hand_landmarks=is_hand_landmarks)
    np.testing.assert_array_equal(points, [[0, 1], [3, 4], [6, 7]])


def test_the_output_is_chosen_by_name_or_expression():
    outputs = {"scores": np.zeros((1, 4)), "landmarks.xy": np.ones((1, 4))}
    assert adapted(outputs, 1)[0].sum() == 0
    assert adapted(outputs, 1, landmarks_out="landmarks.xy")[0].sum() == 4
    assert adapted(outputs, 1, landmarks_out="land.*")[0].sum() == 4
    with pytest.raises(OutputError, match=r"^no output is named 'points'; the module returned scores "):
        adapted(outputs, 1, landmarks_out="points")


def test_a_whole_number_of_landmarks_is_needed():
    with pytest.raises(OutputError, match=r"^5 numbers a sample found, a multiple of landmarks_step: 2 expected$"):
        adapted(np.zeros((2, 5)), 2)


def test_a_row_a_sample_is_needed():
    with pytest.raises(OutputError, match=r"^2 rows for a batch of 3 found, \(3, …\) expected$"):
        adapted(np.zeros((2, 4)), 3)


def test_options_are_checked():
    with pytest.raises(ValueError, match=r"^landmarks_step: 1 found, at least 2 \(x and y\) expected$"):
        LandmarksRegression(landmarks_step=1)
    with pytest.raises(ValueError, match=r"^landmarks_out: '\(' is no regular expression: missing \)"):
        LandmarksRegression(landmarks_out="(")
