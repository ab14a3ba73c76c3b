"""The padding step against OpenCV and numpy."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.preprocessing.padding import Padding
from pytest_torchlauncher.preprocessing.resize import Resize
from pytest_torchlauncher.types import Label, Sample

RNG = np.random.default_rng(0)
SIDES = st.integers(1, 40)
KINDS = st.sampled_from(["center", "left_top", "right_bottom"])


def image(height, width, channels=3, dtype=np.uint8):
    return RNG.integers(0, 256, (height, width, channels)).astype(dtype)


def sample(data):
    return Sample("a.png", data, Label(0), "rgb")


def padded(data, **options):
    return construct(Padding, options, Context()).apply(sample(data))


def border(height, width, dst_height, dst_width, stride, pad_type, left_top_extend):
    """Return top, bottom, left and right of the border by the rules, side by side."""
    sides = []
    for side, wanted in ((height, dst_height), (width, max(dst_width, width))):
        extra = max(math.ceil(wanted / stride) * stride - side, 0)
        smaller, larger = extra // 2, extra - extra // 2
        first = {"center": larger if left_top_extend else smaller, "left_top": extra, "right_bottom": 0}[pad_type]
        sides += [first, extra - first]
    return sides


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SIDES, SIDES, SIDES, SIDES, st.integers(1, 9), KINDS, st.booleans())
def test_borders_are_those_of_opencv(height, width, dst_height, dst_width, stride, pad_type, left_top_extend):
    data = image(height, width)
    options = {"dst_height": dst_height, "dst_width": dst_width, "stride": stride, "pad_type": pad_type}
    done = padded(data, **options, left_top_extend=left_top_extend, pad_value="3, 2, 1")
    sides = border(height, width, dst_height, dst_width, stride, pad_type, left_top_extend)
    expected = cv2.copyMakeBorder(data, *sides, cv2.BORDER_CONSTANT, value=(3, 2, 1))
    np.testing.assert_array_equal(done.data, expected.reshape(*expected.shape[:2], 3))
    assert (done.data.dtype, done.geometry.current) == (np.uint8, done.data.shape[:2])
    np.testing.assert_array_equal(done.geometry.points_to_input(np.array([0, 0])), [sides[2], sides[0]])
    np.testing.assert_array_equal(done.geometry.points_to_input(np.array([1, 1])), [sides[2] + 1, sides[0] + 1])
    assert done.geometry.resized is None


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    SIDES,
    SIDES,
    st.integers(1, 60),
    st.sampled_from(["edge", "maximum", "minimum", "mean", "median", "symmetric", "wrap"]),
)
def test_borders_of_numpy(height, width, size, mode):
    data = image(height, width, dtype=np.float32)
    top, bottom, left, right = border(height, width, size, size, 1, "center", False)
    expected = np.pad(data, ((top, bottom), (left, right), (0, 0)), mode=mode)
    np.testing.assert_array_equal(padded(data, size=size, use_numpy=True, numpy_pad_mode=mode).data, expected)


def test_numpys_modes_need_use_numpy():
    data = np.full((1, 1, 3), 9, np.uint8)
    assert padded(data, size=3, numpy_pad_mode="edge").data.sum() == 27
    assert padded(data, size=3, use_numpy=True).data.sum() == 27
    assert padded(data, size=3, use_numpy=True, pad_value=2).data.sum() == 27 + 24 * 2


@pytest.mark.parametrize(
    ("value", "pixel"),
    [
        (114, [114, 114, 114]),
        ("114", [114, 114, 114]),
        ("114, 115,116", [114, 115, 116]),
        ("(114,115,116)", [114, 115, 116]),
        ([114, 115, 116], [114, 115, 116]),
        ("127.5,126.5,-3", [128, 126, 0]),
        (300, [255, 255, 255]),
    ],
)
def test_the_value(value, pixel):
    data = np.full((1, 1, 3), 9, np.uint8)
    done = padded(data, size=2, pad_value=value).data
    assert (done[0, 0].tolist(), done[1, 1].tolist()) == ([9, 9, 9], pixel)


def test_the_value_is_rounded_and_clipped_as_by_opencv():
    data = np.zeros((1, 1, 3), np.uint8)
    expected = cv2.copyMakeBorder(data, 0, 1, 0, 1, cv2.BORDER_CONSTANT, value=(127.5, 126.5, -3))
    np.testing.assert_array_equal(padded(data, size=2, pad_value="127.5, 126.5, -3").data, expected)


@pytest.mark.parametrize("value", [7, "7", "7,7,7", (7, 7, 7)])
def test_the_value_may_come_from_python(value):
    assert Padding(size=2, pad_value=value).apply(sample(np.zeros((1, 1, 3)))).data[1, 1].tolist() == [7, 7, 7]


def test_the_value_of_a_float_image_keeps_its_fraction():
    assert padded(np.zeros((1, 1, 3), np.float32), size=2, pad_value="127.5,-1,300").data[1, 1].tolist() == [
        127.5,
        -1,
        300,
    ]


def test_the_background_is_the_most_frequent_colour():
    data = np.array([[[1, 2, 3], [9, 9, 9], [1, 2, 3]]], np.uint8)
    assert padded(data, dst_height=2, dst_width=3, pad_value="background").data[1].tolist() == [[1, 2, 3]] * 3
    gray = np.array([[[7], [5], [5], [7]]], np.uint8)
    assert padded(gray, dst_height=2, dst_width=4, pad_value="background").data[1, 0].tolist() == [5]


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1)])
@pytest.mark.parametrize("options", [{}, {"use_numpy": True, "numpy_pad_mode": "edge"}, {"pad_value": "4,4,4"}])
def test_one_channel_keeps_its_axis_and_dtype(shape, options):
    done = padded(np.ones(shape, np.int16), size=6, **options)
    assert (done.data.shape, done.data.dtype) == ((6, 6, 1), np.int16)


def test_a_longer_side_stays():
    assert padded(image(9, 4), size=6).data.shape == (9, 6, 3)
    assert padded(image(4, 9), size=6).data.shape == (6, 9, 3)


def test_without_a_size_only_the_stride_counts():
    assert padded(image(9, 4), stride=8).data.shape == (16, 8, 3)
    assert padded(image(9, 4)).data.shape == (9, 4, 3)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (32, 32, 3)),
        ({"dst_width": 40}, (32, 40, 3)),
        ({"dst_height": 48}, (48, 32, 3)),
        ({"stride": 20}, (40, 40, 3)),
    ],
)
def test_without_a_size_it_is_that_of_the_resize_before(options, shape):
    resized = Resize(size=32, aspect_ratio_scale="fit_to_window").apply(sample(image(20, 10)))
    assert resized.data.shape == (32, 16, 3)
    done = Padding(pad_type="right_bottom", **options).apply(resized)
    assert done.data.shape == shape
    assert (done.geometry.current, done.geometry.resized) == (shape[:2], (32, 16))
    np.testing.assert_allclose(done.geometry.boxes_to_original(np.array([[0, 0, 16, 32]])), [[0, 0, 10, 20]])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_stays_larger_may_be_stretched(dtype, channels):
    data = image(12, 9, channels, dtype)
    done = padded(data, size=8, enable_resize=True)
    expected = cv2.resize(data, (8, 8)).reshape(8, 8, channels)
    np.testing.assert_array_equal(done.data, expected)
    assert (done.geometry.current, done.geometry.resized, done.geometry.wanted) == ((8, 8), None, None)
    np.testing.assert_allclose(done.geometry.points_to_original(np.array([8, 8])), [9, 12])
    assert padded(image(4, 5), size=8, enable_resize=True).geometry.resized is None


def test_the_way_back_leads_through_border_and_stretch():
    done = padded(image(4, 16), dst_height=8, dst_width=8, enable_resize=True)
    assert done.data.shape == (8, 8, 3)
    np.testing.assert_allclose(done.geometry.boxes_to_original(np.array([[0, 2, 8, 6]])), [[0, 0, 16, 4]])


def test_the_sample_stays():
    data = image(4, 4)
    before = sample(data.copy())
    after = Padding().apply(before)
    after.data[:] = 0
    np.testing.assert_array_equal(before.data, data)
    assert after.color == "rgb"


def test_a_geometry_that_is_not_known_stays_so():
    done = Padding(size=9).apply(Sample("a", np.zeros((5, 7)), Label(0), original_size=(5, 7)))
    assert (done.data.shape, done.geometry) == ((9, 9, 1), None)


@pytest.mark.parametrize("value", [True, "green", "", [], "1,x", float("nan"), {}])
def test_values_that_are_no_numbers(value):
    with pytest.raises(ValueError, match="text such as '1, 2, 3' expected"):
        construct(Padding, {"pad_value": value}, Context())


@pytest.mark.parametrize(("channels", "value", "count"), [(3, "1,2", 2), (4, "1,1,1", 3), (1, "1,2,3", 3)])
def test_a_value_for_other_channels(channels, value, count):
    with pytest.raises(ValueError, match="pad_value") as caught:
        padded(image(2, 2, channels), size=4, pad_value=value)
    assert str(caught.value) == (
        f"pad_value: {count} numbers found, 1 or {channels} expected for an image of {channels} channels"
    )


def test_the_data_must_be_an_image():
    with pytest.raises(ValueError, match=r"^an array \(3,\) found, an image \(H, W, C\) expected$"):
        padded(np.zeros(3), size=1)
