"""The colour steps against OpenCV, and what all steps on arrays refuse."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytest_torchlauncher.preprocessing.color import BgrToGray, BgrToRgb, RgbToBgr
from pytest_torchlauncher.preprocessing.crop import Crop
from pytest_torchlauncher.preprocessing.normalization import Normalization
from pytest_torchlauncher.preprocessing.resize import Resize
from pytest_torchlauncher.types import Label, Sample

IMAGE = np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8)
DTYPES = [np.uint8, np.uint16, np.float32]


def sample(data, color=None):
    return Sample("a.png", data, Label(0), color)


@pytest.mark.parametrize("step", [BgrToRgb(), RgbToBgr()])
@pytest.mark.parametrize("dtype", DTYPES)
def test_swaps_as_opencv(step, dtype):
    data = IMAGE.astype(dtype)
    np.testing.assert_array_equal(step.apply(sample(data)).data, cv2.cvtColor(data, cv2.COLOR_BGR2RGB))


@pytest.mark.parametrize("step", [BgrToRgb(), RgbToBgr()])
def test_swaps_float64_too_and_leaves_the_sample(step):
    before = sample(IMAGE / 255)
    after = step.apply(before)
    np.testing.assert_array_equal(after.data, IMAGE[:, :, [2, 1, 0]] / 255)
    np.testing.assert_array_equal(before.data, IMAGE / 255)
    assert after.data.flags.c_contiguous


@pytest.mark.parametrize("step", [BgrToRgb(), RgbToBgr()])
@pytest.mark.parametrize(("before", "after"), [("bgr", "rgb"), ("rgb", "bgr"), (None, None)])
def test_the_color_follows_what_it_was(step, before, after):
    assert step.apply(sample(IMAGE, before)).color == after


@pytest.mark.parametrize("dtype", DTYPES)
def test_gray_as_opencv(dtype):
    data = IMAGE.astype(dtype)
    expected = cv2.cvtColor(data, cv2.COLOR_BGR2GRAY)
    for step, result in [(BgrToGray(), np.float32), (BgrToGray(cast_to_float=False), dtype)]:
        gray = step.apply(sample(data, "bgr"))
        assert (gray.data.shape, gray.data.dtype, gray.color) == ((13, 17, 1), result, "gray")
        np.testing.assert_array_equal(gray.data[..., 0], expected)


def test_gray_by_its_weights():
    expected = IMAGE @ [0.114, 0.587, 0.299]
    np.testing.assert_allclose(BgrToGray().apply(sample(IMAGE)).data[..., 0], expected, atol=0.51)
    np.testing.assert_allclose(BgrToGray().apply(sample(IMAGE / 1.0)).data[..., 0], expected, atol=1e-3)


@pytest.mark.parametrize("step", [BgrToRgb(), RgbToBgr(), BgrToGray()])
@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 4)])
def test_three_channels_are_expected(step, shape):
    channels = shape[2] if len(shape) == 3 else 1
    with pytest.raises(ValueError, match=rf"^an image of {channels} channels found, one of 3 expected$"):
        step.apply(sample(np.zeros(shape, np.uint8)))


@pytest.mark.parametrize(
    "step", [BgrToRgb(), RgbToBgr(), BgrToGray(), Resize(size=2), Crop(size=2), Normalization(mean=1)]
)
def test_tensors_are_refused(step):
    import torch

    with pytest.raises(ValueError, match="tensors") as caught:
        step.apply(sample(torch.zeros(3, 4, 4)))
    assert str(caught.value) == (
        "this step works on arrays, not on tensors: put it before the step that makes the tensor, or remove it"
    )
