"""Points, boxes and masks return to where they were drawn, after any chain of steps."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pytest_torchlauncher.preprocessing.crop import Crop
from pytest_torchlauncher.preprocessing.flip import Flip
from pytest_torchlauncher.preprocessing.padding import Padding
from pytest_torchlauncher.preprocessing.resize import Resize
from pytest_torchlauncher.types import Geometry, Label, Sample

sizes = st.integers(4, 300)
directions = st.sampled_from(["horizontal", "vertical"])
steps = st.one_of(
    st.tuples(st.just("resized_to"), st.tuples(sizes, sizes).map(lambda size: (size,))),
    st.tuples(st.just("cropped_to"), st.tuples(st.integers(-20, 50), st.integers(-20, 50), st.tuples(sizes, sizes))),
    st.tuples(st.just("padded_by"), st.tuples(*[st.integers(0, 40)] * 4)),
    st.tuples(st.just("flipped"), st.tuples(directions)),
)
chains = st.lists(steps, max_size=6)
coordinates = st.floats(-50, 400, allow_nan=False)


def after(size, chain):
    geometry = Geometry.of(size)
    for name, arguments in chain:
        geometry = getattr(geometry, name)(*arguments)
    return geometry


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.tuples(sizes, sizes), chains, st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=8))
def test_points_return(size, chain, points):
    geometry = after(size, chain)
    there = geometry.points_to_input(np.array(points))
    np.testing.assert_allclose(geometry.points_to_original(there), points, atol=1e-3)
    normalized = there / geometry.current[::-1]
    np.testing.assert_allclose(geometry.points_to_original(normalized, "normalized"), points, atol=1e-3)
    assert geometry.points_to_original(np.array(points), "original").tolist() == [list(point) for point in points]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.tuples(sizes, sizes), chains, st.tuples(*[coordinates] * 4))
def test_boxes_return_with_their_corners_in_order(size, chain, corners):
    x0, y0, x1, y1 = corners
    box = np.array([[min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)]])
    geometry = after(size, chain)
    there = geometry.boxes_to_input(box)
    assert (there[:, 2:] >= there[:, :2]).all()
    np.testing.assert_allclose(geometry.boxes_to_original(there), box, atol=1e-3)
    assert geometry.boxes_to_original(np.zeros((0, 4))).shape == (0, 4)


def test_every_step_moves_points_as_its_name_says():
    point, start = np.array([[10.0, 4.0]]), Geometry.of((20, 40))
    assert start.resized_to((40, 20)).points_to_input(point).tolist() == [[5, 8]]
    assert start.cropped_to(1, 3, (5, 5)).points_to_input(point).tolist() == [[7, 3]]
    assert start.padded_by(1, 2, 3, 4).points_to_input(point).tolist() == [[12, 5]]
    assert start.padded_by(1, 2, 3, 4).current == (24, 46)
    assert start.flipped("horizontal").points_to_input(point).tolist() == [[30, 4]]
    assert start.flipped("vertical").points_to_input(point).tolist() == [[10, 16]]
    assert start.resized_to((40, 20)).padded_by(1, 1, 1, 1).resized == (40, 20)
    assert start.stretched_to((40, 20)).resized is None


def test_a_rotation_keeps_the_whole_box_inside():
    turned = Geometry.of((10, 20)).warped(np.array([[0.0, -1, 10], [1, 0, 0], [0, 0, 1]]), (20, 10))
    assert turned.boxes_to_input(np.array([[2.0, 3, 8, 7]])).tolist() == [[3, 2, 7, 8]]
    assert turned.boxes_to_original(np.array([[3.0, 2, 7, 8]])).tolist() == [[2, 3, 8, 7]]
    mask = np.arange(200).reshape(10, 20)
    np.testing.assert_array_equal(turned.mask_to_original(np.rot90(mask, -1)), mask)


# The steps as the preprocessing blocks take them, on pixels.
resizes = st.builds(
    lambda height, width, nearest: Resize(dst_height=height, dst_width=width, interpolation=nearest),
    st.integers(60, 240),
    st.integers(60, 240),
    st.just("NEAREST"),
)
crops = st.builds(lambda size, pillow: Crop(size=size, use_pillow=pillow), st.integers(80, 260), st.booleans())
paddings = st.builds(
    lambda height, width, kind: Padding(dst_height=height, dst_width=width, pad_type=kind),
    st.integers(60, 260),
    st.integers(60, 260),
    st.sampled_from(["center", "left_top", "right_bottom"]),
)
flips = st.builds(lambda direction: Flip(mode=direction), directions)
blocks = st.lists(st.one_of(resizes, crops, paddings, flips), max_size=4)


def drawn(size, box):
    image = np.zeros((*size, 3), np.uint8)
    x0, y0, x1, y1 = box
    image[y0:y1, x0:x1] = 255
    return image


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.tuples(st.integers(100, 200), st.integers(100, 200)), blocks, st.integers(40, 55), st.integers(40, 55))
def test_what_is_drawn_in_the_input_lands_where_it_was_drawn_in_the_original(size, chain, left, top):
    box = (left, top, left + 30, top + 24)
    sample = Sample("a", drawn(size, box), Label(0))
    for block in chain:
        sample = block.apply(sample)
    seen = sample.data[..., 0] > 127
    assert sample.geometry.current == sample.data.shape[:2]
    there = sample.geometry.boxes_to_input(np.array([box]))[0]
    height, width = seen.shape
    if there[0] < 1 or there[1] < 1 or there[2] > width - 1 or there[3] > height - 1:
        return  # the chain cut through it
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    found = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]])
    pixel = np.array(size[::-1]) / 60 + 1  # what one pixel of the smallest input is in the original
    np.testing.assert_allclose(sample.geometry.boxes_to_original(found)[0], box, atol=2 * pixel.max())
    back = sample.geometry.mask_to_original(seen)
    truth = drawn(size, box)[..., 0] > 127
    assert back.shape == size
    grown = cv2.dilate(truth.astype(np.uint8), np.ones((9, 9))), cv2.erode(truth.astype(np.uint8), np.ones((9, 9)))
    assert not (back & (grown[0] == 0)).any()
    assert not (~back & (grown[1] == 1)).any()


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32, bool])
def test_an_unmoved_mask_is_the_same(dtype):
    mask = (np.random.default_rng(0).random((7, 9)) * 5).astype(dtype)
    back = Geometry.of((7, 9)).mask_to_original(mask)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, mask)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.tuples(sizes, sizes), st.tuples(sizes, sizes))
def test_a_stretched_mask_takes_the_pixels_at_the_centres(size, mask_size):
    mask = np.random.default_rng(0).integers(0, 9, mask_size).astype(np.uint8)
    back = Geometry.of(size).resized_to((64, 32)).mask_to_original(mask)
    rows, columns = ((2 * np.arange(n) + 1) * m // (2 * n) for n, m in zip(size, mask_size, strict=True))
    np.testing.assert_array_equal(back, mask[rows][:, columns])


def test_a_stretched_mask_is_what_pillow_makes_of_it():
    mask = np.random.default_rng(0).integers(0, 9, (32, 16)).astype(np.uint8)
    back = Geometry.of((64, 128)).resized_to((64, 32)).mask_to_original(mask)
    np.testing.assert_array_equal(back, Image.fromarray(mask).resize((128, 64), Image.Resampling.NEAREST))


def test_scores_keep_their_classes_and_what_the_input_does_not_show_is_outside():
    scores = np.random.default_rng(0).random((3, 6, 6))
    geometry = Geometry.of((10, 8)).cropped_to(2, 1, (6, 6))
    back = geometry.mask_to_original(scores, outside=-1)
    np.testing.assert_array_equal(back[:, 2:8, 1:7], scores)
    assert (np.delete(back, slice(2, 8), axis=1) == -1).all()


def test_images_return_by_bilinear_values():
    image = np.random.default_rng(0).random((12, 10)).astype(np.float32)
    stretch = Geometry.of((24, 30)).resized_to((12, 10))
    assert stretch.is_stretch
    np.testing.assert_array_equal(stretch.image_to_original(image), cv2.resize(image, (30, 24)))
    padded = Geometry.of((12, 10)).padded_by(1, 2, 3, 4)
    assert not padded.is_stretch
    around = np.pad(image, ((1, 3), (2, 4)))
    np.testing.assert_allclose(padded.image_to_original(around), image, atol=1e-6)
    colored = np.repeat(around[..., None], 3, axis=2)
    np.testing.assert_allclose(padded.image_to_original(colored)[..., 1], image, atol=1e-6)


def test_a_border_is_no_part_of_an_image_that_returns():
    image = np.random.default_rng(0).random((48, 64)).astype(np.float32)
    geometry = Geometry.of((60, 80)).resized_to((48, 64)).padded_by(0, 0, 16, 0)
    found = geometry.image_to_original(np.pad(image, ((0, 16), (0, 0))))
    np.testing.assert_allclose(found, cv2.resize(image, (80, 60)), atol=1e-4)


def test_an_image_without_channels_keeps_its_size_when_it_moves():
    moved = Sample("a", np.zeros((40, 60)), Label(0)).moved(np.zeros((8, 8, 1)), None)
    assert (moved.original_size, moved.geometry) == ((40, 60), None)
