"""The reid_map metric against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reid_samples import IDENTITIES, asked, embedded, measured
from sklearn.metrics import auc, average_precision_score, precision_recall_curve

from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.metrics.reid_map import ReidMap
from pytest_torchlauncher.types import Identity


def area(person, ranking, interpolated):
    truth, scores = [shown == person for _, shown in ranking], [-distance for distance, _ in ranking]
    if not interpolated:
        return average_precision_score(truth, scores)
    precision, recall, _ = precision_recall_curve(truth, scores)
    return auc(recall, precision)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(identities=IDENTITIES, seed=st.integers(0, 99), ties=st.booleans(), interpolated=st.booleans())
def test_agrees_with_sklearn(identities, seed, ties, interpolated):
    vectors = embedded(identities, seed, ties)
    expected = {i: area(person, ranking, interpolated) for i, person, ranking in asked(identities, vectors, ties=ties)}
    assume(expected)
    result = measured(ReidMap(interpolated_auc=interpolated), identities, vectors)
    assert result.value == pytest.approx(np.mean(list(expected.values())), abs=1e-12)
    per_sample = [expected.get(index, np.nan) for index in range(len(identities))]
    np.testing.assert_allclose(result.per_sample, per_sample, atol=1e-12)


@pytest.mark.parametrize(
    ("interpolated", "value"), [(True, (0 + 1 / 2) / 2 / 2 + (1 / 3 + 1 / 2) / 2 / 2), (False, 0.5)]
)
def test_by_hand(interpolated, value):
    # From near to far: another person, the right one, another, the right one.
    identities = [Identity(1, 0, True), *[Identity(person, 1, False) for person in (2, 1, 3, 1)]]
    vectors = np.array([[1, 0], [0.9, 0], [0.8, 0], [0.7, 0], [0.6, 0]])
    result = measured(ReidMap(interpolated_auc=interpolated), identities, vectors)
    assert result.value == pytest.approx(value, abs=1e-15)
    np.testing.assert_allclose(result.per_sample, [value, *[np.nan] * 4])


def test_equal_embeddings_are_no_better_than_chance():
    identities = [Identity(1, 0, True), Identity(1, 1, False), *[Identity(2, 1, False)] * 9]
    assert measured(ReidMap(interpolated_auc=False), identities, np.ones((11, 2))).value == pytest.approx(0.1)


def test_a_query_must_be_left():
    with pytest.raises(DataError, match=r"^1 queries and 0 gallery images found, at least one query expected"):
        measured(ReidMap(), [Identity(1, 0, True)], np.ones((1, 2)))
