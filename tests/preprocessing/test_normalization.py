"""The normalization step against torchvision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.preprocessing.normalization import Normalization
from pytest_torchlauncher.types import Label, Sample

MINIMAL = {"normalization": {"std": 255}}

RNG = np.random.default_rng(0)
NUMBERS = st.floats(0.1, 255)
EXPECTED = "found, a number, a list of numbers or text such as '1, 2, 3' expected"


def normalized(data, **options):
    return Normalization(**options).apply(Sample("a.png", data, Label(0), "rgb")).data


@settings(derandomize=True, deadline=None, max_examples=40)
@given(mean=st.tuples(NUMBERS, NUMBERS, NUMBERS), std=st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_agrees_with_torchvision_bit_for_bit(mean, std):
    import torch
    from torchvision.transforms.functional import normalize

    data = RNG.integers(0, 256, (5, 4, 3), np.uint8)
    expected = normalize(torch.from_numpy(data.astype(np.float64)).permute(2, 0, 1), mean, std).permute(1, 2, 0)
    ours = normalized(data, mean=mean, std=std)
    assert ours.dtype == np.float64
    np.testing.assert_array_equal(ours, expected.numpy())


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64, bool])
def test_one_of_both_is_enough(dtype):
    data = RNG.integers(0, 2, (2, 2, 3)).astype(dtype)
    np.testing.assert_array_equal(normalized(data, std=16), data / np.float64(16))
    np.testing.assert_array_equal(normalized(data, mean=0.5), data - np.float64(0.5))


@pytest.mark.parametrize(
    "written", [[1, 2.5, 3], (1, 2.5, 3), "1, 2.5, 3", "(1,2.5,3)", "[1, 2.5, 3]", ["1", "2.5", "3e0"]]
)
def test_lists_in_any_form(written):
    data = RNG.random((2, 2, 3))
    expected = (data - [1, 2.5, 3]) / [1, 2.5, 3]
    np.testing.assert_array_equal(normalized(data, mean=written, std=written), expected)
    block = construct(Normalization, {"mean": written, "std": written}, Context())
    assert block == Normalization(mean=(1.0, 2.5, 3.0), std=(1.0, 2.5, 3.0))


@pytest.mark.parametrize("written", [16, 16.0, "16", "1.6e1", [16]])
def test_a_number_in_any_form(written):
    data = RNG.random((2, 2, 3))
    np.testing.assert_array_equal(normalized(data, mean=written), data - 16.0)
    assert construct(Normalization, {"mean": written}, Context()) == Normalization(mean=(16.0,))


@pytest.mark.parametrize(
    ("name", "values"),
    [("imagenet", (104.00698793, 116.66876762, 122.67891434)), ("CIFAR10", (125.307, 122.961, 113.8575))],
)
def test_means_by_name(name, values):
    data = RNG.random((2, 2, 3))
    np.testing.assert_array_equal(normalized(data, mean=name), data - np.array(values))


def test_data_of_any_shape_is_normalized_on_its_last_axis():
    np.testing.assert_array_equal(normalized(np.ones((4, 2)), mean=(1, 2)), [[0, -1]] * 4)
    np.testing.assert_array_equal(normalized(np.array(3.0), mean=1), 2)
    np.testing.assert_array_equal(normalized(np.ones(5), std=4), [0.25] * 5)


def test_images_only_leaves_the_rest():
    for shape in [(5,), (2, 2, 5), (1, 2, 2, 3)]:
        data = np.ones(shape, np.uint8)
        assert normalized(data, mean=1, images_only=True) is data
        assert not normalized(data, mean=1).any()
    for shape in [(2, 2), (2, 2, 1), (2, 2, 3), (2, 2, 4)]:
        assert not normalized(np.ones(shape), mean=1, images_only=True).any()


def test_the_sample_stays():
    before = Sample("a.png", np.ones((2, 2, 3)), Label(0), "bgr")
    after = Normalization(mean=1).apply(before)
    assert (before.data == 1).all()
    assert after.color == "bgr"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "neither mean nor std found, at least one expected"),
        ({"std": 0}, "0 found, numbers other than 0 expected"),
        ({"std": "1, 0, 1"}, "'1, 0, 1' found, numbers other than 0 expected"),
        ({"mean": "imagenets"}, f"'imagenets' {EXPECTED}"),
        ({"mean": ""}, f"'' {EXPECTED}"),
        ({"mean": []}, f"[] {EXPECTED}"),
        ({"mean": "1, nan"}, f"'1, nan' {EXPECTED}"),
        ({"mean": {"r": 1}}, f"{{'r': 1}} {EXPECTED}"),
        ({"mean": True}, f"True {EXPECTED}"),
        ({"std": [1, False]}, f"[1, False] {EXPECTED}"),
        ({"std": [1, None]}, f"[1, None] {EXPECTED}"),
        (
            {"std": "imagenet"},
            "'imagenet' found: the reference's table holds the means under that name; give numbers",
        ),
    ],
)
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(ValueError, match="found") as caught:
        Normalization(**options)
    assert str(caught.value) == message
    with pytest.raises(ValueError, match="found") as caught:
        construct(Normalization, options, Context())
    assert message in str(caught.value)


@pytest.mark.parametrize("option", ["mean", "std"])
def test_the_numbers_must_fit_the_channels(option):
    with pytest.raises(ValueError, match=rf"^{option}: 3 values found, 1 or 4 expected, one a channel$"):
        normalized(np.ones((2, 2, 4)), **{option: (1, 2, 3)})
