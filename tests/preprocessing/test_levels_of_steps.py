"""Images that stay bytes through the steps are the same numbers, bit by bit, as without."""

from functools import reduce

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.data.batches import stepped, suited
from pytest_torchlauncher.kinds import Preprocessor
from pytest_torchlauncher.launcher.tensors import Converter
from pytest_torchlauncher.options import Component
from pytest_torchlauncher.types import Label, Levels, Sample

STEPS = [
    ("resize", {"size": 9}),
    ("resize", {"size": 7, "interpolation": "nearest"}),
    ("resize", {"size": 8, "use_pillow": True}),
    ("resize", {"size": 10, "aspect_ratio_scale": "fit_to_window"}),
    ("crop", {"size": 6}),
    ("crop", {"size": 14}),
    ("crop", {"size": 5, "use_pillow": True}),
    ("crop", {"size": 15, "use_pillow": True}),
    ("crop_rect", {}),
    ("flip", {"mode": "vertical"}),
    ("bgr_to_rgb", {}),
    ("normalization", {"mean": "123.675, 116.28, 103.53", "std": "58.395, 57.12, 57.375"}),
    ("normalization", {"std": 255}),
    ("padding", {"size": 16}),
    ("padding", {"size": 16, "pad_value": 114}),
    ("padding", {"size": 16, "pad_value": "background"}),
    ("padding", {"size": 16, "use_numpy": True, "numpy_pad_mode": "edge"}),
    ("padding", {"size": 12, "enable_resize": True, "pad_type": "left_top"}),
    ("auto_resize", {}),
]


def component(name, options):
    return Component.build(Preprocessor, {"type": name, **options})


@st.composite
def images(draw):
    height, width = draw(st.integers(3, 20)), draw(st.integers(3, 20))
    seed = draw(st.integers(0, 9))
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(max_examples=300, deadline=None)
@given(images(), st.lists(st.sampled_from(STEPS), max_size=5))
def test_steps_on_levels_give_what_they_give_on_arrays(image, chosen):
    size = (11, 13)
    steps = [component(name, options) for name, options in chosen]
    sample = Sample("a", image, Label(0), "bgr", region=(1.0, 1.0, 3.0, 3.0))
    try:
        plain = reduce(lambda s, step: step.block.suited_to(size).apply(s), steps, sample)
    except ValueError as error:
        with pytest.raises(Exception, match=str(error).splitlines()[-1][:20]):
            stepped(sample, suited(steps, size))
        return

    done = stepped(sample, suited(steps, size))

    assert (done.data.dtype, done.data.shape) == (plain.data.dtype, plain.data.shape)
    np.testing.assert_array_equal(np.asarray(done.data), plain.data)
    assert (done.color, done.input_size) == (plain.color, plain.input_size)
    np.testing.assert_array_equal(done.geometry.matrix, plain.geometry.matrix)


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8])
def test_a_tensor_of_levels_is_that_of_their_numbers(dtype, channels_last):
    rng = np.random.default_rng(0)
    levels = Levels(rng.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8), rng.uniform(0, 255, (256, 3)))
    converter = Converter(torch.device("cpu"), dtype, channels_last)

    assert torch.equal(converter.array(levels), converter.array(np.asarray(levels)))
    assert torch.equal(converter.array(levels, "NHWC"), converter.array(np.asarray(levels), "NHWC"))


@pytest.mark.parametrize("channels", [1, 3, 4, 7])
def test_any_number_of_channels(channels):
    rng = np.random.default_rng(0)
    levels = Levels(rng.integers(0, 256, (2, 5, 6, channels), dtype=np.uint8), rng.normal(size=(256, channels)))
    converter = Converter(torch.device("cpu"), torch.float32, channels_last=True)
    assert torch.equal(converter.array(levels), converter.array(np.asarray(levels)))


def test_a_usual_pipeline_keeps_bytes():
    steps = [component(*STEPS[0]), component(*STEPS[4]), component(*STEPS[10]), component(*STEPS[11])]
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    done = stepped(Sample("a", image, Label(0), "bgr"), steps)
    assert isinstance(done.data, Levels)
    assert done.data.levels.nbytes == 6 * 6 * 3


def test_a_step_of_others_gets_an_array():
    class Seen(Preprocessor):
        def apply(self, sample):
            assert type(sample.data) is np.ndarray
            return sample.with_data(sample.data + 1)

    steps = [component(*STEPS[0]), Component("seen", {}, Seen()), component(*STEPS[12])]
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    done = stepped(Sample("a", image, Label(0), "bgr"), steps)
    assert (done.data.dtype, type(done.data)) == (np.float64, np.ndarray)


def test_a_batch_of_other_tables_is_numbers():
    image = np.zeros((2, 2, 3), np.uint8)
    bytes_, floats = Levels.of(image), Levels(image, np.ones((256, 3)))
    stacked = Levels.stacked([bytes_, floats])
    np.testing.assert_array_equal(stacked, [np.zeros((2, 2, 3)), np.ones((2, 2, 3))])
