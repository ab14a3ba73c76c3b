"""The character_recognition_accuracy metric against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.metrics.character_recognition_accuracy import CharacterRecognitionAccuracy
from pytest_torchlauncher.types import DatasetMeta, Text

WORDS = st.text("aA ", max_size=2)


def measured(expected, found, **options):
    metric = CharacterRecognitionAccuracy(**options)
    return metric.summarize(metric.observe(list(map(Text, expected)), list(map(Text, found))), DatasetMeta())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12), st.booleans())
def test_agrees_with_sklearn(pairs, remove_spaces):
    expected, found = zip(*pairs, strict=True)
    result = measured(expected, found, remove_spaces=remove_spaces)
    if remove_spaces:
        expected, found = ([text.replace(" ", "") for text in texts] for texts in (expected, found))
    assert result.value == pytest.approx(accuracy_score(expected, found), abs=1e-12)
    np.testing.assert_array_equal(result.per_sample, np.array(expected) == np.array(found))
    assert (result.higher_is_better, result.bounded, result.components) == (True, True, {})


def test_case_and_spaces_count():
    assert measured(["a", "a b", "", "ä"], ["A", "ab", "", "ä"]).per_sample.tolist() == [0, 0, 1, 1]
    assert measured(["a", "a b", "a\tb"], ["A", " ab", "ab"], remove_spaces=True).per_sample.tolist() == [0, 1, 0]


def test_without_samples_there_is_no_accuracy():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected for an accuracy$"):
        CharacterRecognitionAccuracy().summarize([], DatasetMeta())
