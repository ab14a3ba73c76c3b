"""The image_processing adapter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.image_processing import ImageProcessing
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import Batch, Image, Label, Outputs, Sample

LEVELS = np.random.default_rng(0).integers(0, 256, (2, 6, 8, 3))
OUTPUT = (LEVELS / 255).transpose(0, 3, 1, 2).astype(np.float32)


def adapter(**options):
    return construct(ImageProcessing, options, Context())


def adapted(output, name="out", **options):
    samples = tuple(Sample(str(number), np.zeros((4, 5, 3), np.uint8), Label(0)) for number in range(len(output)))
    return adapter(**options).adapt(Outputs({"first": output, name: output}), Batch(samples))


def arrays(output, **options):
    return np.stack([image.values for image in adapted(output, **options)])


def test_images_of_every_sample():
    for image, expected in zip(adapted(OUTPUT), LEVELS, strict=True):
        assert (type(image), image.frame, image.color, image.values.dtype) == (Image, "input", None, np.uint8)
        np.testing.assert_array_equal(image.values, expected)


def test_the_raw_output_stays():
    output = OUTPUT.copy()
    adapted(output, mean=3, reverse_channels=True)
    np.testing.assert_array_equal(output, OUTPUT)


def test_channels_may_be_last_or_missing():
    np.testing.assert_array_equal(arrays(OUTPUT.transpose(0, 2, 3, 1)), LEVELS)
    np.testing.assert_array_equal(arrays(OUTPUT[:, 0]), LEVELS[..., :1])
    (gray, _) = adapted(OUTPUT[:, :1])
    np.testing.assert_array_equal(gray.values, LEVELS[0, ..., :1])
    assert gray.color == "gray"


def test_narrow_images_are_channels_first():
    assert arrays(OUTPUT[..., :3]).shape == (2, 6, 3, 3)
    assert arrays(OUTPUT[:, :, :3, :4]).shape == (2, 3, 4, 3)


@pytest.mark.parametrize("realization", [[0.2, 0.3, 0.4], "0.2, 0.3, 0.4", "(0.2, 0.3, 0.4)"])
def test_the_normalization_is_undone(realization):
    mean, std = np.array([10.0, 20.0, 30.0]), np.array([0.2, 0.3, 0.4])
    normalized = ((LEVELS - mean) / std).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(
        arrays(normalized, mean=[10, 20, 30], std=realization, cast_to_uint8=False), LEVELS, rtol=1e-12, atol=1e-12
    )


def test_named_means():
    zeros = np.zeros((1, 3, 6, 8))
    found = arrays(zeros, mean="ImageNet", cast_to_uint8=False)
    np.testing.assert_allclose(found[0, 0, 0], [104.00698793, 116.66876762, 122.67891434])
    found = arrays(zeros + 2, std="cifar10", cast_to_uint8=False)
    np.testing.assert_allclose(found[0, 0, 0], [250.614, 245.922, 227.715])


def test_values_are_clipped_and_fractions_cut_off():
    output = np.array([-1, 0.9, 1.2, 255.9, 300] * 2, np.float32).reshape(1, 1, 2, 5)
    assert arrays(output, std=1).reshape(2, 5)[0].tolist() == [0, 0, 1, 255, 255]
    plain = arrays(output, std=1, cast_to_uint8=False)
    assert plain.dtype == np.float32
    np.testing.assert_array_equal(plain.reshape(1, 1, 2, 5), output)


def test_channels_are_reversed():
    np.testing.assert_array_equal(arrays(OUTPUT, reverse_channels=True), LEVELS[..., ::-1])
    plain = arrays(OUTPUT, reverse_channels=True, cast_to_uint8=False)
    np.testing.assert_allclose(plain, LEVELS[..., ::-1], rtol=1e-6)


def test_integer_outputs():
    found = arrays(LEVELS.transpose(0, 3, 1, 2).astype(np.uint8), std=1)
    np.testing.assert_array_equal(found, LEVELS)


def test_samples_of_several_sizes():
    output = (OUTPUT[0], OUTPUT[1, :, :5, :6])
    assert [image.values.shape for image in adapted(output)] == [(6, 8, 3), (5, 6, 3)]


def test_the_output_is_chosen():
    assert len(adapted(OUTPUT, "sr_2x", target_out="sr_.x")) == 2
    with pytest.raises(
        OutputError, match=r"^no output is named 'hr'; the module returned first \(2, 3, 6, 8\) float32"
    ):
        adapted(OUTPUT, target_out="hr")


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        (OUTPUT[:, :, 0, 0], {}, r"(3,) found for a sample, an image (C, H, W) expected"),
        (OUTPUT, {"mean": [1, 2]}, "3 channels found, 2 expected by mean, which has one a channel"),
        (OUTPUT[:, :1], {"std": "cifar10"}, "1 channels found, 3 expected by std, which has one a channel"),
    ],
)
def test_outputs_that_do_not_suit(output, options, message):
    with pytest.raises(OutputError) as caught:
        adapted(output, **options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"std": 0}, r"0 found, numbers other than 0 expected"),
        ({"std": "1, 0"}, r"'1, 0' found, numbers other than 0 expected"),
        ({"mean": "imagnet"}, r"'imagnet' found, a number, a list of numbers or text such as '1, 2, 3' expected"),
        ({"mean": []}, r"\[\] found, a number, a list of numbers or text such as '1, 2, 3' expected"),
        ({"mean": True}, r"True found, a number, a list of numbers or text such as '1, 2, 3' expected"),
        ({"mean": ".nan"}, r"'.nan' found, a number, a list of numbers"),
        ({"mean": float("inf")}, r"inf found, a number, a list of numbers"),
        ({"target_out": "("}, r"target_out: '\(' is no regular expression: "),
    ],
)
def test_options_that_mean_nothing(options, message):
    with pytest.raises(ValueError, match=message):
        adapter(**options)


def test_options_are_checked_in_python_too():
    with pytest.raises(ValueError, match="numbers other than 0 expected"):
        ImageProcessing(std=0.0)
