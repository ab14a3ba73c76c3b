"""The normalize_landmarks_points step against maps written out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.postprocessing.normalize_landmarks_points import NormalizeLandmarksPoints
from pytest_torchlauncher.types import Geometry, Label, Landmarks, Named, Pair, Sample

RNG = np.random.default_rng(0)
EYES = ((1, 0), (2, 3))
HEIGHT, WIDTH = 48, 64


def sample(geometry=None, region=None, size=(HEIGHT, WIDTH)):
    return Sample("face.png", np.zeros(3), Label(0), original_size=size, geometry=geometry, region=region)


def pair(annotation, prediction, **known):
    return Pair(annotation, prediction, sample(**known))


def both(annotation, prediction, known, **options):
    """Return the points of annotation and prediction after the step."""
    after = NormalizeLandmarksPoints(**options).apply(pair(annotation, prediction, **known))
    assert (after.annotation.frame, after.prediction.frame) == ("normalized", "normalized")
    return after.annotation.points, after.prediction.points


def test_after_a_resize_only_the_annotation_changes():
    geometry = Geometry.of((HEIGHT, WIDTH)).resized_to((60, 60))
    truth = RNG.uniform(0, 40, (5, 2))
    estimate = RNG.random((5, 2))
    annotated, predicted = both(Landmarks(truth), Landmarks(estimate, "normalized"), {"geometry": geometry})
    for (x, y), (u, v) in zip(truth, annotated, strict=True):
        assert (u, v) == pytest.approx((x / WIDTH, y / HEIGHT), abs=1e-15)
    np.testing.assert_allclose(predicted, estimate, rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), height=st.integers(20, 90), width=st.integers(20, 90), flip=st.booleans())
def test_what_the_input_shows_goes_back_where_it_came_from(seed, height, width, flip):
    rng = np.random.default_rng(seed)
    left, top = rng.integers(1, 9, 2)
    new_height, new_width = rng.integers(20, 30, 2)
    geometry = Geometry.of((height, width)).cropped_to(top, left, (height - 10, width - 10))
    geometry = geometry.resized_to((new_height, new_width)).padded_by(1, 2, 3, 4)
    geometry = geometry.flipped("horizontal") if flip else geometry
    truth = rng.uniform(0, 20, (4, 2))
    seen = np.empty_like(truth)
    for index, (x, y) in enumerate(truth):
        u = (x - left) * new_width / (width - 10) + 2
        seen[index] = new_width + 6 - u if flip else u, (y - top) * new_height / (height - 10) + 1
    expected = [(x / width, y / height) for x, y in truth]
    known = {"geometry": geometry, "size": (height, width)}
    for estimate in (
        Landmarks(seen, "input"),
        Landmarks(seen / (new_width + 6, new_height + 4), "normalized"),
        Landmarks(truth),
    ):
        annotated, predicted = both(Landmarks(truth), estimate, known)
        np.testing.assert_allclose(annotated, expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(predicted, expected, rtol=0, atol=1e-12)


def test_the_annotated_rectangle_may_be_the_frame():
    region = (10.0, 8.0, 30.0, 40.0)
    geometry = Geometry.of((HEIGHT, WIDTH)).cropped_to(8, 10, (32, 20)).resized_to((48, 48))
    truth, estimate = RNG.uniform(10, 30, (5, 2)), RNG.random((5, 2))
    known = {"geometry": geometry, "region": region}
    annotated, predicted = both(Landmarks(truth), Landmarks(estimate, "normalized"), known, use_annotation_rect=True)
    for (x, y), (u, v) in zip(truth, annotated, strict=True):
        assert (u, v) == pytest.approx(((x - 10) / 20, (y - 8) / 32), abs=1e-12)
    np.testing.assert_allclose(predicted, estimate, rtol=0, atol=1e-12)


def test_without_the_option_the_rectangle_does_not_matter():
    truth = Landmarks(RNG.uniform(0, 40, (5, 2)))
    first, _ = both(truth, truth, {"region": (10.0, 8.0, 30.0, 40.0)})
    second, _ = both(truth, truth, {})
    np.testing.assert_array_equal(first, second)


def test_a_second_time_changes_nothing():
    known = {"geometry": Geometry.of((HEIGHT, WIDTH)).resized_to((30, 30))}
    once, _ = both(Landmarks(np.ones((1, 2))), Landmarks(np.ones((1, 2))), known)
    twice, _ = both(Landmarks(once, "normalized"), Landmarks(once, "normalized"), known)
    np.testing.assert_allclose(twice, once, rtol=0, atol=1e-15)


def test_eyes_and_the_given_points_stay():
    truth = Landmarks(np.ones((5, 2)), eyes=EYES)
    after = NormalizeLandmarksPoints().apply(pair(truth, Landmarks(np.ones((5, 2)))))
    assert after.annotation.eyes == EYES
    np.testing.assert_array_equal(truth.points, np.ones((5, 2)))


def test_one_side_may_be_aimed_at():
    given_pair = pair(Landmarks(np.ones((5, 2))), Landmarks(np.ones((5, 2))))
    after = NormalizeLandmarksPoints(apply_to="annotation").apply(given_pair)
    assert (after.annotation.frame, after.prediction) == ("normalized", given_pair.prediction)
    after = NormalizeLandmarksPoints(apply_to="prediction").apply(given_pair)
    assert (after.annotation, after.prediction.frame) == (given_pair.annotation, "normalized")


def test_named_landmarks_are_found():
    named = Named({"landmarks": Landmarks(np.ones((5, 2))), "label": Label(3)})
    after = NormalizeLandmarksPoints(apply_to="annotation").apply(pair(named, Label(3)))
    assert after.annotation.parts["landmarks"].frame == "normalized"
    assert after.annotation.parts["label"] == Label(3)


def test_a_rectangle_is_needed_where_it_is_asked_for():
    landmarks = Landmarks(np.ones((5, 2)))
    with pytest.raises(OutputError) as caught:
        both(landmarks, landmarks, {}, use_annotation_rect=True)
    assert str(caught.value) == (
        "face.png has no annotated rectangle; remove use_annotation_rect, or choose a converter that gives rectangles"
    )
    with pytest.raises(
        OutputError, match=r"^face\.png: its rectangle \(9\.0, 1\.0, 9\.0, 5\.0\) has no area; correct the annotation$"
    ):
        both(landmarks, landmarks, {"region": (9.0, 1.0, 9.0, 5.0)}, use_annotation_rect=True)


def test_the_size_of_the_image_is_needed():
    landmarks = Landmarks(np.ones((5, 2)))
    with pytest.raises(OutputError, match=r"^face\.png is no image, the size of an image expected$"):
        both(landmarks, landmarks, {"size": None})


def test_what_the_model_saw_must_be_known():
    landmarks = Landmarks(np.ones((5, 2)))
    with pytest.raises(OutputError) as caught:
        both(landmarks, replace(landmarks, frame="normalized"), {})
    assert str(caught.value) == (
        "nobody knows which part of face.png the model saw; preprocess it with the built-in steps"
    )


def test_other_predictions_are_refused():
    with pytest.raises(OutputError, match=r"^prediction of type Label found, Landmarks expected$"):
        NormalizeLandmarksPoints().apply(pair(Landmarks(np.ones((5, 2))), Label(0)))
