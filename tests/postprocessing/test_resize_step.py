"""The resize step on annotations and predictions, and the resizer of masks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.postprocessing._mask_resizer import resize_nearest, stretched_to_8_bit
from pytest_torchlauncher.postprocessing.resize import Resize
from pytest_torchlauncher.types import Geometry, Image, Label, Mask, MaskScores, Matte, Pair, Sample

MINIMAL = {"resize": {"apply_to": "all"}}
COMPAT = "accuracy_checker"
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)


def resize(**options):
    return construct(Resize, {"apply_to": "all", **options}, Context())


def sample(geometry=None, size=(30, 20)):
    """Return the sample of an image of `size`, stretched to 9x7 unless `geometry` says otherwise."""
    geometry = geometry or Geometry.of(size).resized_to((9, 7))
    return Sample("a.png", np.zeros((*geometry.current, 3), np.uint8), Label(0), original_size=size, geometry=geometry)


def predicted(prediction, of=None, **options):
    options = {"apply_to": "prediction", **options}
    return resize(**options).apply(Pair(Label(0), prediction, of or sample())).prediction


def annotated(annotation, **options):
    return resize(apply_to="annotation", **options).apply(Pair(annotation, Label(0), sample())).annotation


def by_pillow(array, size, resample=Pillow.Resampling.NEAREST):
    return np.array(Pillow.fromarray(array).resize(size[::-1], resample))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.tuples(*[st.integers(1, 60)] * 4), st.integers(0, 1000))
def test_nearest_agrees_with_pillow(sides, seed):
    mask = np.random.default_rng(seed).integers(0, 256, sides[:2], dtype=np.uint8)
    np.testing.assert_array_equal(resize_nearest(mask, sides[2:]), by_pillow(mask, sides[2:]))


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32", "uint16"])
def test_nearest_keeps_values_and_type(dtype):
    mask = RNG.integers(-5, 900, (2, 3, 4)).astype(dtype)
    resized = resize_nearest(mask, (6, 8))
    assert resized.dtype == dtype
    np.testing.assert_array_equal(resized, mask.repeat(2, axis=1).repeat(2, axis=2))


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (np.array([[0.1, 0.5], [0.9, 0.3]]), [[0, 128], [255, 64]]),
        (np.array([[0.1, 0.5], [0.9, 0.3]], np.float16), [[0, 128], [255, 64]]),
        (np.array([[0, 1], [18, -1]], np.int16), [[13, 27], [255, 0]]),
        (np.array([[0, 1], [18, 3]], np.int64), [[0, 1], [18, 3]]),
        (np.array([[0, 255]], np.int64), [[0, 255]]),
        (np.array([[0, 510]], np.int64), [[0, 255]]),
        (np.array([[-128, 127]], np.int8), [[0, 255]]),
        (np.array([[7.5, 7.5]]), [[0, 0]]),
        (np.array([[False, True]]), [[0, 1]]),
        (np.zeros((0, 2)), []),
    ],
)
def test_8_bits_of_the_reference(mask, expected):
    stretched = stretched_to_8_bit(mask)
    assert (stretched.dtype, stretched.tolist()) == (np.uint8, expected)


def test_images_by_pillow():
    image = predicted(Image(RGB, "bgr", "input"))
    assert (image.color, image.frame, image.values.dtype) == ("bgr", "original", np.uint8)
    np.testing.assert_array_equal(image.values, by_pillow(RGB, (30, 20), Pillow.Resampling.BICUBIC))
    gray = annotated(Image(RGB[..., :1], "gray"), size=5)
    np.testing.assert_array_equal(
        gray.values, by_pillow(RGB[..., 0], (5, 5), Pillow.Resampling.BICUBIC)[..., np.newaxis]
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images_by_opencv(dtype):
    values = RGB.astype(dtype)
    image = predicted(Image(values, frame="input"), resize_realization="OpenCV")
    assert image.values.dtype == dtype
    np.testing.assert_allclose(image.values, cv2.resize(values, (20, 30)), atol=1e-4 if dtype == np.float32 else 0)


def test_images_of_floats_stay_floats():
    small = (RGB / 255).astype(np.float64)
    image = predicted(Image(small, frame="input"))
    expected = by_pillow(small[..., 1].astype(np.float32), (30, 20), Pillow.Resampling.BICUBIC)
    assert image.values.dtype == np.float32
    np.testing.assert_array_equal(image.values[..., 1], expected)


def test_compatible_images_are_8_bits():
    values = RGB.astype(np.float32) + 0.7
    image = predicted(Image(values, frame="input"), compat=COMPAT)
    np.testing.assert_array_equal(image.values, by_pillow(RGB, (30, 20), Pillow.Resampling.BICUBIC))
    outside = predicted(Image(np.array([[[-3.0, 300.0, 7.9]]]), frame="input"), compat=COMPAT, size=1)
    assert outside.values.tolist() == [[[0, 255, 7]]]


@pytest.mark.parametrize(
    ("options", "size"),
    [({}, (30, 20)), ({"size": 12}, (12, 12)), ({"dst_width": 11, "dst_height": 13}, (13, 11))],
)
@pytest.mark.parametrize("kind", [Mask, Matte])
def test_masks_on_both_sides(options, size, kind):
    mask = RGB[..., 0]
    for result in (predicted(kind(mask, "input"), **options), annotated(kind(mask), **options)):
        array = result.labels if kind is Mask else result.values
        assert (type(result), result.frame, array.dtype) == (kind, "original", np.uint8)
        np.testing.assert_array_equal(array, by_pillow(mask, size))


def test_size_goes_before_width_and_height():
    assert annotated(Matte(RGB[..., 0]), size=4, dst_width=5, dst_height=6).values.shape == (4, 4)


def test_labels_and_scores_keep_their_values():
    labels = RNG.integers(-1, 900, (9, 7))
    np.testing.assert_array_equal(predicted(Mask(labels, "input")).labels, resize_nearest(labels, (30, 20)))
    values = RNG.random((4, 9, 7), dtype=np.float32)
    scores = predicted(MaskScores(values, "input"))
    assert (scores.frame, scores.values.dtype) == ("original", np.float32)
    np.testing.assert_array_equal(scores.values, resize_nearest(values, (30, 20)))
    colors = annotated(Mask(RGB))
    np.testing.assert_array_equal(colors.labels, by_pillow(RGB, (30, 20)))


def test_compatible_masks_are_stretched():
    labels = RNG.integers(-1, 900, (9, 7))
    found = predicted(Mask(labels, "input"), compat=COMPAT).labels
    np.testing.assert_array_equal(found, by_pillow(stretched_to_8_bit(labels), (30, 20)))
    matte = predicted(Matte(np.array([[0.2, 0.4]]), "input"), compat=COMPAT, size=2)
    assert matte.values.tolist() == [[0, 255], [0, 255]]
    colors = annotated(Mask(RGB), compat=COMPAT)
    np.testing.assert_array_equal(colors.labels, by_pillow(RGB, (30, 20)))


def test_compatible_scores_change_the_class_that_wins():
    values = np.array([[[0.9, 0.8]], [[0.1, 0.2]]])
    scores = predicted(MaskScores(values, "input"), of=sample(size=(1, 2)), compat=COMPAT)
    assert scores.values.tolist() == [[[255, 0]], [[0, 255]]]
    assert values.argmax(axis=0).tolist() == [[0, 0]]
    assert scores.values.argmax(axis=0).tolist() == [[0, 1]]


CROPPED = Geometry.of((8, 12)).cropped_to(2, 3, (4, 6))
PADDED = Geometry.of((4, 6)).padded_by(1, 2, 3, 4)


def test_masks_of_a_crop_go_back_to_their_place():
    labels = RNG.integers(0, 200, (4, 6)).astype(np.uint8)
    expected = np.full((8, 12), -1)
    expected[2:6, 3:9] = labels
    of = sample(CROPPED, (8, 12))
    np.testing.assert_array_equal(predicted(Mask(labels, "input"), of).labels, expected)
    np.testing.assert_array_equal(predicted(Matte(labels, "input"), of).values, np.maximum(expected, 0))
    scores = predicted(MaskScores(np.stack([labels, 255 - labels]), "input"), of).values
    np.testing.assert_array_equal(scores[0], np.where(expected < 0, np.nan, expected))
    resized = predicted(Mask(labels, "input"), of, size=4).labels
    np.testing.assert_array_equal(resized, resize_nearest(expected, (4, 4)))


def test_padding_is_taken_off():
    labels = RNG.integers(0, 200, (8, 12)).astype(np.uint8)
    of = sample(PADDED, (4, 6))
    found = predicted(Mask(labels, "input"), of).labels
    np.testing.assert_array_equal(found, labels[1:5, 2:8])
    image = np.dstack([labels] * 3)
    result = predicted(Image(image, "rgb", "input"), of)
    assert (result.values.dtype, result.color, result.frame) == (np.uint8, "rgb", "original")
    np.testing.assert_array_equal(result.values, image[1:5, 2:8])
    floats = predicted(Image(image[..., :1] / 255, frame="input"), of)
    np.testing.assert_allclose(floats.values, image[1:5, 2:8, :1] / 255, rtol=1e-6)


def test_compatible_steps_do_not_look_at_padding():
    labels = RNG.integers(0, 200, (8, 12)).astype(np.uint8)
    found = predicted(Mask(labels, "input"), sample(PADDED, (4, 6)), compat=COMPAT).labels
    np.testing.assert_array_equal(found, by_pillow(labels, (4, 6)))


def test_annotations_are_over_the_original_already():
    labels = RNG.integers(0, 200, (4, 6)).astype(np.uint8)
    pair = Pair(Mask(labels), Mask(np.zeros((8, 12), np.uint8), "input"), sample(PADDED, (4, 6)))
    np.testing.assert_array_equal(resize().apply(pair).annotation.labels, labels)


def unknown(data):
    return Sample("a", data, Label(0), original_size=(30, 20) if data.ndim == 3 else None, geometry=None)


def test_a_way_back_is_needed_unless_the_size_is_given():
    image = unknown(np.zeros((9, 7, 3), np.uint8))
    with pytest.raises(OutputError) as caught:
        predicted(Mask(RGB[..., 0], "input"), image)
    assert str(caught.value) == (
        "a prediction in the frame 'input' found for a sample whose way from the original image is unknown; an image "
        "whose preprocessing is known expected, or give size, or dst_width and dst_height"
    )
    assert predicted(Mask(RGB[..., 0], "original"), image).labels.shape == (30, 20)
    assert predicted(Mask(RGB[..., 0], "input"), image, size=4).labels.shape == (4, 4)


def test_a_size_is_needed():
    with pytest.raises(OutputError) as caught:
        predicted(Mask(RGB[..., 0], "input"), unknown(np.zeros(3)))
    assert str(caught.value) == (
        "a sample that is no image found, an image expected; or give size, or dst_width and dst_height"
    )
    result = predicted(Mask(RGB[..., 0], "input"), unknown(np.zeros(3)), dst_width=4, dst_height=5)
    assert result.labels.shape == (5, 4)


@pytest.mark.parametrize("options", [{"dst_width": 4}, {"dst_height": 4}])
def test_both_sides_are_needed(options):
    with pytest.raises(ValueError, match="only one of dst_width and dst_height found, both expected"):
        resize(**options)


def test_what_is_resized_has_to_be_said():
    with pytest.raises(ValueError, match=r"^apply_to is missing; annotation, prediction or all expected$"):
        Resize()
