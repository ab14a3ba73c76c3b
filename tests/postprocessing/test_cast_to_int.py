"""The cast_to_int step."""

from __future__ import annotations

import numpy as np
import pytest
from box_pairs import annotated, annotation_after, predicted, prediction_after

from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.postprocessing.cast_to_int import CastToInt

BOXES = [[0.5, 1.5, 2.4, 2.6], [-1.5, -0.6, 1.0, 9.9]]
ROUNDED = {
    "nearest": [[0, 2, 2, 3], [-2, -1, 1, 10]],
    "nearest_to_zero": [[0, 1, 2, 2], [-1, 0, 1, 9]],
    "lower": [[0, 1, 2, 2], [-2, -1, 1, 9]],
    "greater": [[1, 2, 3, 3], [-1, 0, 1, 10]],
}


@pytest.mark.parametrize("policy", ROUNDED)
def test_both_sides_are_rounded(policy):
    step = CastToInt(round_policy=policy)
    for result in (prediction_after(step, predicted(BOXES)), annotation_after(step, annotated(BOXES))):
        assert result.boxes.tolist() == ROUNDED[policy]
        assert result.boxes.dtype == np.float64


def test_halves_go_to_the_even_number_by_default():
    assert prediction_after(CastToInt(), predicted(BOXES)).boxes.tolist() == ROUNDED["nearest"]


def test_one_side_can_be_meant():
    step = CastToInt(apply_to="annotation")
    assert prediction_after(step, predicted(BOXES)).boxes.tolist() == BOXES


def test_an_unknown_policy():
    with pytest.raises(ValueError, match="'up' found, 'nearest', 'nearest_to_zero', 'lower' or 'greater' expected"):
        construct(CastToInt, {"round_policy": "up"}, Context())
