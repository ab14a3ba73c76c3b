"""The flip step against OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytest_torchlauncher.preprocessing.flip import Flip
from pytest_torchlauncher.types import Label, Sample

RNG = np.random.default_rng(0)


def flipped(data, **options):
    return Flip(**options).apply(Sample("a.png", data, Label(0), "rgb"))


@pytest.mark.parametrize(("options", "code"), [({}, 0), ({"mode": "horizontal"}, 0), ({"mode": "vertical"}, 1)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_mode_is_the_axis(options, code, dtype):
    data = RNG.integers(0, 256, (5, 7, 3)).astype(dtype)
    done = flipped(data, **options).data
    np.testing.assert_array_equal(done, cv2.flip(data, code))
    assert (done.dtype, done.flags["C_CONTIGUOUS"]) == (data.dtype, True)


@pytest.mark.parametrize(("mode", "point"), [("horizontal", (2, 3.5)), ("vertical", (5, 1.5))])
def test_the_geometry_follows(mode, point):
    done = flipped(np.zeros((5, 7, 3)), mode=mode)
    np.testing.assert_array_equal(done.geometry.points_to_input(np.array([2, 1.5])), point)
    assert (done.geometry.current, done.original_size, done.color) == ((5, 7), (5, 7), "rgb")


def test_a_geometry_that_is_not_known_stays_so():
    before = Sample("a", np.zeros((5, 7)), Label(0), original_size=(9, 9))
    assert Flip().apply(before).geometry is None


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1)])
def test_one_channel_keeps_its_axis(shape):
    assert flipped(np.zeros(shape)).data.shape == (5, 7, 1)


def test_the_sample_stays():
    data = RNG.integers(0, 256, (5, 7, 3), np.uint8)
    before = Sample("a.png", data.copy(), Label(0))
    Flip().apply(before).data[:] = 0
    np.testing.assert_array_equal(before.data, data)


def test_what_is_refused():
    message = "merge_with_original: true is not supported; a model gets one image a sample here"
    with pytest.raises(ValueError, match="not supported") as caught:
        Flip(merge_with_original=True)
    assert str(caught.value) == message
    with pytest.raises(ValueError, match=r"^an array \(3,\) found, an image \(H, W, C\) expected$"):
        flipped(np.zeros(3))
