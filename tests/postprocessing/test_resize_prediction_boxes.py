"""The resize_prediction_boxes step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from box_pairs import NO_BOXES, image, nothing, predicted, prediction_after
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.postprocessing.resize_prediction_boxes import ResizePredictionBoxes
from pytest_torchlauncher.types import Geometry, Pair

COMPAT = ResizePredictionBoxes(compat="accuracy_checker")
SIZE = (40, 80)
BOXES = np.array([[8.0, 4.0, 40.0, 20.0], [0.0, 0.0, 80.0, 40.0]])
"""Px of the original."""


def sample(geometry, size=SIZE):
    return replace(image(*size), geometry=geometry)


def within(boxes, geometry, frame):
    """Return the prediction that `boxes` of the original are in `frame`."""
    height, width = geometry.current
    sides = [width, height, width, height] if frame == "normalized" else [1, 1, 1, 1]
    return predicted(geometry.boxes_to_input(boxes) / sides, frame=frame)


STRETCHED = Geometry.of(SIZE).resized_to((32, 16))
PADDED = Geometry.of(SIZE).resized_to((16, 32)).padded_by(8, 0, 8, 0)
CROPPED = Geometry.of(SIZE).cropped_to(0, 20, (40, 40)).resized_to((10, 10))
MIRRORED = STRETCHED.flipped("horizontal")


@pytest.mark.parametrize("frame", ["input", "normalized"])
@pytest.mark.parametrize("geometry", [STRETCHED, PADDED, CROPPED, MIRRORED])
@pytest.mark.parametrize("options", [{}, {"rescale": True}, {"unpadding": True}, {"uncrop": True}])
def test_boxes_come_back_whatever_was_done(frame, geometry, options):
    result = prediction_after(ResizePredictionBoxes(**options), within(BOXES, geometry, frame), sample(geometry))
    np.testing.assert_allclose(result.boxes, BOXES, rtol=0, atol=1e-12)
    assert result.frame == "original"
    assert result.labels.tolist() == [1, 1]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 50), st.integers(1, 50))
def test_a_stretch_is_a_factor(height, width, new_height, new_width):
    geometry = Geometry.of((height, width)).resized_to((new_height, new_width))
    boxes = np.array([[0.25, 0.5, 0.75, 1.0]])
    result = prediction_after(
        ResizePredictionBoxes(), predicted(boxes, frame="normalized"), sample(geometry, (height, width))
    )
    np.testing.assert_allclose(result.boxes, boxes * [width, height, width, height], rtol=1e-12)


@pytest.mark.parametrize("step", [ResizePredictionBoxes(), COMPAT])
def test_boxes_of_the_original_stay(step):
    prediction = predicted(BOXES)
    assert prediction_after(step, prediction, nothing()) is prediction


def test_boxes_are_not_clipped():
    result = prediction_after(ResizePredictionBoxes(), predicted([[-0.1, 0, 1.5, 1]], frame="normalized"))
    np.testing.assert_allclose(result.boxes, [[-8, 0, 120, 40]])


def test_an_image_without_boxes():
    result = prediction_after(ResizePredictionBoxes(), predicted([], frame="input"))
    assert (result.boxes.shape, result.frame) == ((0, 4), "original")


def test_the_annotation_stays():
    pair = Pair(NO_BOXES, predicted(BOXES, frame="input"), image())
    assert ResizePredictionBoxes().apply(pair).annotation is NO_BOXES


def test_compat_multiplies_by_the_original_size():
    result = prediction_after(COMPAT, predicted([[0.5, 0.5, 1, 1]], frame="normalized"), sample(PADDED))
    assert result.boxes.tolist() == [[40, 20, 80, 40]]
    assert result.frame == "original"


def test_compat_rescales_by_the_size_after_the_last_resize():
    step = replace(COMPAT, rescale=True)
    prediction = predicted([[8, 8, 16, 16]], frame="input")
    assert prediction_after(step, prediction, sample(PADDED)).boxes.tolist() == [[20, 20, 40, 40]]
    unresized = sample(Geometry.of(SIZE).padded_by(8, 0, 8, 0))
    assert prediction_after(step, prediction, unresized).boxes.tolist() == [[8, 8, 16, 16]]


@pytest.mark.parametrize("option", ["unpadding", "uncrop"])
def test_compat_undoes_padding_and_crops_where_it_is_told_to(option):
    step = replace(COMPAT, **{option: True})
    for geometry in (PADDED, CROPPED):
        result = prediction_after(step, within(BOXES, geometry, "normalized"), sample(geometry))
        np.testing.assert_allclose(result.boxes, BOXES, rtol=0, atol=1e-12)


@pytest.mark.parametrize("step", [ResizePredictionBoxes(), COMPAT])
def test_a_sample_of_unknown_ways(step):
    with pytest.raises(OutputError) as caught:
        prediction_after(step, predicted(BOXES, frame="normalized"), nothing())
    assert str(caught.value) == (
        "boxes in the frame 'normalized' found for a sample whose way from the original image is unknown; an image "
        "whose size and preprocessing are known expected"
    )


def test_it_is_built_from_the_file():
    assert construct(ResizePredictionBoxes, {}, Context(compat="accuracy_checker")) == COMPAT
    assert construct(ResizePredictionBoxes, {"rescale": True}, Context()) == ResizePredictionBoxes(rescale=True)
