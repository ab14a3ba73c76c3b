"""The steps on predicted depth: resize_prediction_depth_map and align_prediction_depth_map."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.postprocessing.align_prediction_depth_map import AlignPredictionDepthMap
from pytest_torchlauncher.postprocessing.resize_prediction_depth_map import ResizePredictionDepthMap
from pytest_torchlauncher.types import DepthMap, Geometry, Label, Named, Pair, Sample

RNG = np.random.default_rng(0)


def sample(geometry):
    data = np.zeros((*geometry.current, 3), np.uint8)
    return Sample("a.png", data, Label(0), original_size=geometry.original, geometry=geometry)


def resized(prediction, geometry):
    return ResizePredictionDepthMap().apply(Pair(Label(0), prediction, sample(geometry))).prediction


@pytest.mark.parametrize("size", [(30, 20), (5, 4), (9, 7)])
def test_stretched_depth_agrees_with_opencv(size):
    depth = RNG.random((9, 7), dtype=np.float32)
    result = resized(DepthMap(depth, "input"), Geometry.of(size).resized_to((9, 7)))
    assert (result.frame, result.values.dtype, result.valid.size) == ("original", np.float32, 0)
    np.testing.assert_array_equal(result.values, cv2.resize(depth, size[::-1]))


def test_depth_of_another_resolution_than_the_input():
    depth = RNG.random((9, 7), dtype=np.float32)
    result = resized(DepthMap(depth, "input"), Geometry.of((30, 20)).resized_to((18, 14)))
    np.testing.assert_array_equal(result.values, cv2.resize(depth, (20, 30)))


def test_padding_is_taken_off():
    depth, valid = RNG.random((8, 12)), RNG.random((8, 12)) > 0.5
    result = resized(DepthMap(depth, "input", valid), Geometry.of((4, 6)).padded_by(1, 2, 3, 4))
    np.testing.assert_allclose(result.values, depth[1:5, 2:8], rtol=1e-6)
    np.testing.assert_array_equal(result.valid, valid[1:5, 2:8])


def test_a_crop_goes_back_to_its_place():
    depth = RNG.random((4, 6))
    result = resized(DepthMap(depth, "input"), Geometry.of((8, 12)).cropped_to(2, 3, (4, 6)))
    np.testing.assert_allclose(result.values, np.pad(depth, ((2, 2), (3, 3)), mode="edge"), rtol=1e-6)


def test_depth_over_the_original_stays():
    prediction = DepthMap(RNG.random((4, 6)))
    assert resized(prediction, Geometry.of((8, 12)).resized_to((4, 6))) is prediction


def test_a_way_back_is_needed():
    nowhere = Sample("a", np.zeros(3), Label(0))
    with pytest.raises(OutputError) as caught:
        ResizePredictionDepthMap().apply(Pair(Label(0), DepthMap(np.zeros((4, 6)), "input"), nowhere))
    assert str(caught.value) == (
        "depth in the frame 'input' found for a sample whose way from the original image is unknown; an image whose "
        "size and preprocessing are known expected"
    )


def aligned(truth, estimate, valid=None, **options):
    annotation = DepthMap(truth) if valid is None else DepthMap(truth, valid=valid)
    pair = Pair(annotation, DepthMap(estimate), sample(Geometry.of(estimate.shape)))
    return AlignPredictionDepthMap(**options).apply(pair).prediction.values


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 1e-3, 1e4]), st.booleans())
def test_agrees_with_least_squares(seed, scale, masked):
    rng = np.random.default_rng(seed)
    truth, estimate = rng.normal(size=(6, 5)), scale * rng.normal(5, 1, size=(6, 5))
    valid = rng.random((6, 5)) > 0.4 if masked else np.ones((6, 5), dtype=bool)
    valid[0, :3] = True
    system = np.stack([estimate[valid], np.ones(valid.sum())], axis=1)
    (factor, shift), *_ = np.linalg.lstsq(system, truth[valid], rcond=None)
    found = aligned(truth, estimate, valid if masked else None)
    np.testing.assert_allclose(found, factor * estimate + shift, rtol=1e-7, atol=1e-9)


def test_a_multiple_of_the_truth_becomes_the_truth():
    truth = RNG.random((4, 5))
    np.testing.assert_allclose(aligned(truth, np.float32(7 - 3 * truth)), truth, atol=1e-6)


def test_prediction_of_one_depth_becomes_the_mean():
    truth, valid = np.array([[1.0, 2.0, 90.0]]), np.array([[True, True, False]])
    assert aligned(truth, np.full((1, 3), 0.25), valid).tolist() == [[1.5, 1.5, 1.5]]


def test_without_known_depth_nothing_changes():
    estimate = RNG.random((2, 3))
    np.testing.assert_array_equal(aligned(estimate + 1, estimate, np.zeros((2, 3), dtype=bool)), estimate)


@pytest.mark.parametrize("options", [{"annotation_source": ("near",)}, {"prediction_source": ("depth",)}])
def test_named_depth(options):
    near, far = DepthMap(np.array([[1.0, 2.0]])), DepthMap(np.array([[10.0, 20.0]]))
    truth = Named({"near": near, "far": far} if "annotation_source" in options else {"near": near, "class": Label(1)})
    pair = Pair(truth, Named({"depth": DepthMap(np.array([[5.0, 6.0]]))}), sample(Geometry.of((1, 2))))
    result = AlignPredictionDepthMap(**options).apply(pair)
    np.testing.assert_allclose(result.prediction.parts["depth"].values, near.values)
    assert result.annotation is truth


def test_annotations_that_do_not_suit():
    pair = Pair(Label(1), DepthMap(np.zeros((1, 2))), sample(Geometry.of((1, 2))))
    with pytest.raises(OutputError, match=r"^an annotation of type Label found, DepthMap expected$"):
        AlignPredictionDepthMap().apply(pair)
    with pytest.raises(OutputError) as caught:
        aligned(np.zeros((2, 4)), np.zeros((1, 2)))
    assert str(caught.value) == (
        "a prediction (1, 2) for an annotation (2, 4) found, equal shapes expected; put resize_prediction_depth_map "
        "before"
    )
