"""The crop step against Pillow and torchvision."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pytest_torchlauncher.preprocessing.crop import Crop
from pytest_torchlauncher.types import Label, Sample

MINIMAL = {"crop": {"size": 224}}

RNG = np.random.default_rng(0)
SIDES = st.integers(1, 60)
FAMILIES = "exactly one of size, dst_width with dst_height, central_fraction and max_square expected"


def cropped(data, **options):
    return Crop(**options).apply(Sample("a.png", data, Label(0), "rgb")).data


def image(height, width, channels=3):
    return RNG.integers(0, 256, (height, width, channels), np.uint8)


def numbered(width):
    """Return an image of one row that holds the number of each column."""
    return np.arange(width, dtype=np.float32).reshape(1, width, 1)


@pytest.mark.parametrize(
    ("width", "size", "pillow", "default"), [(341, 224, 58, 58), (343, 224, 60, 59), (225, 224, 0, 0), (227, 224, 2, 1)]
)
def test_odd_margins(width, size, pillow, default):
    options = {"dst_width": size, "dst_height": 1}
    assert cropped(numbered(width), use_pillow=True, **options)[0, 0, 0] == pillow
    assert cropped(numbered(width), **options)[0, 0, 0] == default


@settings(derandomize=True, deadline=None, max_examples=60)
@given(width=SIDES, height=SIDES, data=st.data())
def test_pillow_mode_is_the_center_crop_of_torchvision(width, height, data):
    from torchvision.transforms.functional import center_crop

    new = data.draw(st.integers(1, width)), data.draw(st.integers(1, height))
    array = image(height, width)
    expected = np.asarray(center_crop(Image.fromarray(array), [new[1], new[0]]))
    ours = cropped(array, dst_width=new[0], dst_height=new[1], use_pillow=True)
    np.testing.assert_array_equal(ours, expected)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(width=SIDES, height=SIDES, new_width=SIDES, new_height=SIDES)
def test_pillow_mode_is_the_crop_of_pillow_beyond_the_image_too(width, height, new_width, new_height):
    array = image(height, width)
    left, top = round((width - new_width) / 2), round((height - new_height) / 2)
    expected = np.asarray(Image.fromarray(array).crop((left, top, left + new_width, top + new_height)))
    ours = cropped(array, dst_width=new_width, dst_height=new_height, use_pillow=True)
    np.testing.assert_array_equal(ours, expected)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(width=SIDES, height=SIDES, new_width=SIDES, new_height=SIDES)
def test_default_mode_enlarges_what_is_too_small(width, height, new_width, new_height):
    array = image(height, width)
    scale = max(Fraction(new_width, width), Fraction(new_height, height), Fraction(1))
    enlarged = cv2.resize(array, (ceil(width * scale), ceil(height * scale))) if scale > 1 else array
    left, top = (enlarged.shape[1] - new_width) // 2, (enlarged.shape[0] - new_height) // 2
    ours = cropped(array, dst_width=new_width, dst_height=new_height)
    np.testing.assert_array_equal(ours, enlarged[top : top + new_height, left : left + new_width])


@pytest.mark.parametrize("use_pillow", [True, False])
@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"size": 6}, (6, 6, 3)),
        ({"dst_width": 5, "dst_height": 6}, (6, 5, 3)),
        ({"central_fraction": 0.875}, (8, 17, 3)),
        ({"central_fraction": 1}, (10, 20, 3)),
        ({"max_square": True}, (10, 10, 3)),
    ],
)
def test_the_size_is_given_in_one_of_four_ways(use_pillow, options, shape):
    assert cropped(image(10, 20), use_pillow=use_pillow, **options).shape == shape


@pytest.mark.parametrize("use_pillow", [True, False])
@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1)])
@pytest.mark.parametrize("size", [2, 8])
def test_one_channel_keeps_its_axis_and_dtype(use_pillow, shape, size):
    ours = cropped(np.ones(shape, np.float64), size=size, use_pillow=use_pillow)
    assert (ours.shape, ours.dtype) == ((size, size, 1), np.float64)


def test_the_sample_stays():
    data = image(4, 4)
    before = Sample("a.png", data.copy(), Label(0), "rgb")
    after = Crop(size=2).apply(before)
    after.data[:] = 0
    np.testing.assert_array_equal(before.data, data)
    assert after.color == "rgb"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, f"0 sizes found, {FAMILIES}"),
        ({"max_square": False}, f"0 sizes found, {FAMILIES}"),
        ({"size": 3, "max_square": True}, f"2 sizes found, {FAMILIES}"),
        ({"size": 3, "dst_width": 3, "dst_height": 3, "central_fraction": 1}, f"3 sizes found, {FAMILIES}"),
        ({"dst_width": 3}, "only one of dst_width and dst_height found, both expected"),
        ({"size": 3, "dst_height": 3}, "only one of dst_width and dst_height found, both expected"),
        ({"central_fraction": 0}, "central_fraction: 0 found, more than 0 and at most 1 expected"),
        ({"central_fraction": 1.1}, "central_fraction: 1.1 found, more than 0 and at most 1 expected"),
    ],
)
def test_options_that_contradict(options, message):
    with pytest.raises(ValueError, match="found") as caught:
        Crop(**options)
    assert str(caught.value) == message


def test_nothing_may_be_left():
    with pytest.raises(ValueError, match=r"^central_fraction 0\.1 of 4x30 is nothing, a pixel at least expected$"):
        cropped(image(30, 4), central_fraction=0.1)


def test_the_data_must_be_an_image():
    with pytest.raises(ValueError, match=r"^an array \(3,\) found, an image \(H, W, C\) expected$"):
        cropped(np.zeros(3), size=1)
