"""The crop_rect step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.preprocessing.crop_rect import CropRect
from pytest_torchlauncher.preprocessing.resize import Resize
from pytest_torchlauncher.types import Attributes, Sample

HEIGHT, WIDTH = 20, 30
IMAGE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def sample(region, data=IMAGE):
    return Sample("a.png#0", data, Attributes(np.zeros(1)), "rgb", region=region)


def cropped(region, data=IMAGE):
    return CropRect().apply(sample(region, data))


def test_the_region_is_cut_out_at_whole_pixels():
    after = cropped((3.9, 2.2, 10.7, 9.99))
    np.testing.assert_array_equal(after.data, IMAGE[2:9, 3:10])
    assert (after.data.dtype, after.color, after.region) == (np.uint8, "rgb", (3.9, 2.2, 10.7, 9.99))


def test_without_a_region_the_sample_stays_as_it_is():
    before = sample(None)
    assert CropRect().apply(before) is before


@pytest.mark.parametrize(
    ("region", "rows", "columns"),
    [
        ((25, 15, 99, 99), slice(15, 20), slice(25, 30)),
        ((-4, -2, 6, 5), slice(0, 7), slice(0, 10)),
        ((-4, 3, 99, 9), slice(3, 9), slice(0, 30)),
        ((-0.5, 0, 4.2, 3), slice(0, 3), slice(0, 4)),
        ((0, 0, 30, 20), slice(0, 20), slice(0, 30)),
    ],
)
def test_what_lies_beyond_the_image(region, rows, columns):
    np.testing.assert_array_equal(cropped(region).data, IMAGE[rows, columns])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    x=st.floats(-9, 28),
    y=st.floats(-9, 18),
    width=st.floats(1.01, 50),
    height=st.floats(1.01, 50),
)
def test_the_geometry_tells_where_the_pixels_came_from(x, y, width, height):
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    places = np.stack([columns, rows], axis=-1).astype(np.float64)
    after = cropped((x, y, x + width, y + height), places)
    assert after.geometry.current == after.data.shape[:2]
    assert after.original_size == after.geometry.original == (HEIGHT, WIDTH)
    found = after.geometry.points_to_original(places[: after.data.shape[0], : after.data.shape[1]] + 0.5)
    np.testing.assert_allclose(found, after.data + 0.5)


def test_a_region_is_found_after_a_resize():
    big = Resize(dst_width=2 * WIDTH, dst_height=4 * HEIGHT).apply(sample((3, 2, 10, 9)))
    np.testing.assert_array_equal(CropRect().apply(big).data, big.data[8:36, 6:20])


def test_without_a_geometry_the_region_is_taken_as_it_is():
    before = sample((3, 2, 10, 9)).moved(IMAGE, None)
    after = CropRect().apply(before)
    np.testing.assert_array_equal(after.data, IMAGE[2:9, 3:10])
    assert after.geometry is None


def test_the_sample_stays():
    data = IMAGE.copy()
    CropRect().apply(sample((3, 2, 10, 9), data)).data[:] = 0
    np.testing.assert_array_equal(data, IMAGE)


@pytest.mark.parametrize("region", [(30, 0, 40, 10), (3, 3, 3, 9), (3.1, 3, 3.9, 9), (0, 25, 5, 30)])
def test_nothing_to_cut_out(region):
    with pytest.raises(ValueError, match="nothing of which") as caught:
        cropped(region)
    assert str(caught.value) == (
        f"the region {region} found, nothing of which lies on the image of 30x20 px; correct the annotation"
    )


def test_the_data_must_be_an_image():
    with pytest.raises(ValueError, match=r"^an array \(3,\) found, an image \(H, W, C\) expected$"):
        cropped((0, 0, 1, 1), np.zeros(3))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(10, 199), st.sampled_from([50, 64, 96, 100, 256]))
def test_the_whole_image_is_all_of_it_after_a_resize(side, size):
    image = np.zeros((side, side, 3), np.uint8)
    resized = Resize(size=size).apply(sample((0, 0, side, side), image))
    assert CropRect().apply(resized).data.shape == (size, size, 3)
