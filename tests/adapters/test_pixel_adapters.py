"""The background_matting and mono_depth adapters."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.background_matting import BackgroundMatting
from pytest_torchlauncher.adapters.mono_depth import MonoDepth
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, DepthMap, Label, Matte, Outputs, Sample

SHAPES = [(1, 4, 5), (4, 5, 1), (4, 5)]


def batch(size):
    return Batch(tuple(Sample(f"{number}.png", np.zeros((4, 5, 3), np.uint8), Label(0)) for number in range(size)))


def adapted(adapter, output, size=None):
    outputs = Outputs({"out": output, "other": np.zeros((9, 9))})
    return adapter.adapt(outputs, batch(len(output) if size is None else size))


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_mattes_of_every_sample(count, shape):
    levels = np.random.default_rng(0).integers(0, 256, (count, *shape))
    output = (levels / 255).astype(np.float32)
    mattes = adapted(BackgroundMatting(), output)
    assert len(mattes) == count
    for matte, expected in zip(mattes, levels, strict=True):
        assert (type(matte), matte.frame, matte.values.dtype) == (Matte, "input", np.uint8)
        np.testing.assert_array_equal(matte.values, expected.reshape(4, 5))


def test_fractions_are_cut_off_and_values_outside_clipped():
    output = np.array([[-0.1, 0.0039, 0.00393, 0.999, 1.0, 1.01, 7]], np.float32)
    (matte,) = adapted(BackgroundMatting(), output[np.newaxis])
    assert matte.values.tolist() == [[0, 0, 1, 254, 255, 255, 255]]


@pytest.mark.parametrize("adapter", [BackgroundMatting(), MonoDepth()])
def test_the_raw_output_stays(adapter):
    output = np.full((2, 1, 4, 5), 0.5, np.float32)
    adapted(adapter, output)
    assert (output == 0.5).all()


@pytest.mark.parametrize(("dtype", "expected"), [("float16", "float32"), ("float32", "float32"), ("int64", "float64")])
@pytest.mark.parametrize("shape", SHAPES)
def test_depth_of_every_sample(shape, dtype, expected):
    output = np.random.default_rng(0).integers(-9, 900, (3, *shape)).astype(dtype)
    depths = adapted(MonoDepth(), output)
    assert len(depths) == 3
    for depth, row in zip(depths, output, strict=True):
        assert (type(depth), depth.frame, depth.values.dtype, depth.valid.size) == (DepthMap, "input", expected, 0)
        np.testing.assert_array_equal(depth.values, row.reshape(4, 5))


@pytest.mark.parametrize("adapter", [BackgroundMatting(), MonoDepth()])
def test_a_batch_of_several_sizes(adapter):
    predictions = adapted(adapter, (np.zeros((1, 4, 5)), np.zeros((6, 7))))
    assert [prediction.values.shape for prediction in predictions] == [(4, 5), (6, 7)]


@pytest.mark.parametrize("adapter", [BackgroundMatting(), MonoDepth()])
@pytest.mark.parametrize("shape", [(2, 4, 5), (5,), (1, 1, 4, 5)])
def test_outputs_of_another_shape(adapter, shape):
    with pytest.raises(OutputError) as caught:
        adapted(adapter, np.zeros((2, *shape)))
    assert str(caught.value) == f"{shape} found for a sample, one channel (1, H, W) expected"


@pytest.mark.parametrize("adapter", [BackgroundMatting(), MonoDepth()])
def test_one_row_a_sample(adapter):
    with pytest.raises(OutputError, match=r"^2 rows for a batch of 3 found, \(3, …\) expected$"):
        adapted(adapter, np.zeros((2, 1, 4, 5)), 3)
