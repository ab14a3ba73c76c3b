"""The per_point_normed_error metric against a plain loop over its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from landmark_samples import EYES, faces, point_errors

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.per_point_normed_error import PerPointNormedError
from pytest_torchlauncher.types import DatasetMeta, Landmarks


def measured(annotations, predictions):
    metric = PerPointNormedError()
    return metric.summarize(metric.observe(annotations, predictions), DatasetMeta())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pair=faces())
def test_agrees_with_its_definition(pair):
    rows = [point_errors(*face) for face in zip(*pair, strict=True)]
    result = measured(*pair)
    points = [sum(column) / len(column) for column in zip(*rows, strict=True)]
    expected = {f"point_{index}_normed_error": error for index, error in enumerate(points)}
    assert result.components == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert list(result.components) == list(expected)
    assert result.value == pytest.approx(sum(points) / len(points), rel=1e-12)
    np.testing.assert_allclose(result.per_sample, [sum(row) / len(row) for row in rows], rtol=1e-12, atol=1e-12)
    assert (result.higher_is_better, result.bounded) == (False, False)


def test_any_evidence_may_be_summarized():
    result = PerPointNormedError().summarize(
        [np.array([1.0, 2]), np.array([1.0, 2]), np.array([4.0, 2])], DatasetMeta()
    )
    assert result.components == {"point_0_normed_error": 2, "point_1_normed_error": 2}
    np.testing.assert_array_equal(result.per_sample, [1.5, 1.5, 3])


def test_frames_must_be_equal():
    annotation = Landmarks(np.eye(4, 2), eyes=EYES)
    with pytest.raises(OutputError, match=r"add normalize_landmarks_points to the postprocessing$"):
        measured([annotation], [Landmarks(np.eye(4, 2), "input")])


@pytest.mark.parametrize(("evidence", "numbers"), [([], "no"), ([np.zeros(5), np.zeros(4), np.zeros(5)], "4 and 5")])
def test_samples_have_one_number_of_landmarks(evidence, numbers):
    with pytest.raises(DataError, match=f"^samples with {numbers} landmarks found, the same number in all expected$"):
        PerPointNormedError().summarize(evidence, DatasetMeta())
