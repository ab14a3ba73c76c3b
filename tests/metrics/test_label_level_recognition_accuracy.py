"""The label_level_recognition_accuracy metric against torchmetrics and a plain edit distance."""

from __future__ import annotations

import functools
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.text import char_error_rate

from pytest_torchlauncher.errors import DataError, MissingExtraError
from pytest_torchlauncher.metrics.label_level_recognition_accuracy import LabelLevelRecognitionAccuracy
from pytest_torchlauncher.types import DatasetMeta, Text

WORDS = st.text("abc ", max_size=6)
METRIC = LabelLevelRecognitionAccuracy()


def observed(expected, found):
    return METRIC.observe(list(map(Text, expected)), list(map(Text, found)))


def measured(expected, found):
    return METRIC.summarize(observed(expected, found), DatasetMeta())


@functools.cache
def edits(first, second):
    if not first or not second:
        return len(first) + len(second)
    replaced = edits(first[1:], second[1:]) + (first[0] != second[0])
    return min(edits(first[1:], second) + 1, edits(first, second[1:]) + 1, replaced)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8).filter(lambda pairs: any(a for a, _ in pairs)))
def test_agrees_with_the_oracles(pairs):
    expected, found = zip(*pairs, strict=True)
    result = measured(expected, found)
    # torchmetrics has float32.
    assert result.value == pytest.approx(1 - float(char_error_rate(found, expected)), abs=1e-5)
    total = sum(edits(a, b) for a, b in pairs)
    assert result.value == pytest.approx(1 - total / sum(map(len, expected)), abs=1e-12)
    alone = [1 - edits(a, b) / len(a) if a else np.nan for a, b in pairs]
    np.testing.assert_allclose(result.per_sample, alone, atol=1e-12)


def test_longer_texts_weigh_more():
    result = measured(["aaaaaaaa", "bb"], ["aaaaaaaa", "cc"])
    assert result.value == 0.8
    assert result.per_sample.tolist() == [1.0, 0.0]


def test_insertions_may_be_more_than_there_are_characters():
    assert measured(["a"], ["abcd"]).value == -2.0


def test_characters_are_code_points():
    assert measured(["äß𝔘"], ["äss"]).value == pytest.approx(1 / 3)


def test_an_empty_text_alone_has_no_rate():
    result = measured(["", "ab"], ["x", "ab"])
    assert result.value == 0.5
    np.testing.assert_array_equal(result.per_sample, [np.nan, 1.0])


@pytest.mark.parametrize("count", [0, 2])
def test_without_characters_there_is_no_rate(count):
    with pytest.raises(DataError) as caught:
        measured([""] * count, ["a"] * count)
    assert str(caught.value) == (f"no character found in the annotated texts of {count} samples, at least one expected")


def test_rapidfuzz_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidfuzz.distance", None)
    monkeypatch.delitem(sys.modules, "rapidfuzz.distance.Levenshtein", raising=False)
    with pytest.raises(MissingExtraError) as caught:
        observed(["a"], ["a"])
    assert str(caught.value) == 'rapidfuzz is not installed; run pip install "pytest-torchlauncher[text]"'
