"""The psnr metric against torchmetrics, scikit-image and the formula of the luma."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from image_pairs import batches, measured, textured
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio
from torchmetrics.image import PeakSignalNoiseRatio

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.psnr import PSNR
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import DatasetMeta, Image

COMPAT = "accuracy_checker"
random_pairs = given(pair=batches())


def psnr(**options):
    return construct(PSNR, options, Context())


def finite(pair):
    """Return `pair` with at least one pixel of every image and channel wrong, in its middle."""
    truth, estimate = pair
    estimate = estimate.copy()
    middle = tuple(side // 2 for side in truth.shape[1:3])
    estimate[:, *middle] = truth[:, *middle] ^ 1
    return truth, estimate


@settings(max_examples=50, deadline=None, derandomize=True)
@random_pairs
def test_agrees_with_torchmetrics_and_scikit_image(pair):
    truth, estimate = finite(pair)
    result = measured(psnr(scale_border=0, unweighted_average=True), truth, estimate)
    samples = [peak_signal_noise_ratio(*images, data_range=255) for images in zip(truth, estimate, strict=True)]
    np.testing.assert_allclose(result.per_sample, samples, rtol=1e-12)
    oracle = PeakSignalNoiseRatio(data_range=255.0, dim=(1, 2, 3))
    oracle.update(*(torch.from_numpy(images.astype(np.float64)) for images in (estimate, truth)))
    assert result.value == pytest.approx(float(oracle.compute()), rel=1e-6)
    assert result.components == {"mean": result.value, "std": pytest.approx(np.std(samples), abs=1e-9)}
    assert (result.higher_is_better, result.bounded, result.unit) == (True, False, "dB")


@settings(max_examples=50, deadline=None, derandomize=True)
@random_pairs
def test_agrees_with_scikit_image_on_the_luma(pair):
    truth, estimate = finite(pair)
    if truth.shape[3] == 1:
        truth, estimate = truth.repeat(3, axis=3), estimate.repeat(3, axis=3)
    truth_luma, luma = (rgb2ycbcr(images)[..., 0] for images in (truth, estimate))
    samples = [peak_signal_noise_ratio(*images, data_range=255) for images in zip(truth_luma, luma, strict=True)]
    np.testing.assert_allclose(measured(psnr(scale_border=0), truth, estimate).per_sample, samples, rtol=1e-4)


@settings(max_examples=30, deadline=None, derandomize=True)
@random_pairs
def test_the_border_does_not_count(pair):
    truth, estimate = finite(pair)
    inside = measured(psnr(scale_border=0), truth[:, 4:-4, 4:-4], estimate[:, 4:-4, 4:-4])
    assert measured(psnr(), truth, estimate).value == inside.value
    three = measured(psnr(scale_border=0), truth[:, 3:-3, 3:-3], estimate[:, 3:-3, 3:-3])
    assert measured(psnr(scale_border=3), truth, estimate).value == three.value


def noisy(scale=20.0, seed=0):
    truth = textured(24)
    noise = np.random.default_rng(seed).normal(scale=scale, size=truth.shape) * [1.0, 0.5, 0.1]
    return truth, (truth + noise).clip(0, 255).astype(np.uint8)


def test_the_order_of_the_channels():
    truth, estimate = noisy()
    swapped = truth[..., ::-1], estimate[..., ::-1]
    rgb, bgr = measured(psnr(), truth, estimate).value, measured(psnr(), *swapped).value
    assert abs(rgb - bgr) > 1
    for name in ("BGR", "bgr"):
        assert measured(psnr(color_order=name), *swapped).value == pytest.approx(rgb, rel=1e-12)
    assert measured(psnr(color_order="RGB"), *swapped, color="bgr").value == pytest.approx(bgr, rel=1e-12)
    assert measured(psnr(), *swapped, color="bgr").value == pytest.approx(rgb, rel=1e-12)
    assert measured(psnr(), truth, estimate, color="rgb").value == pytest.approx(rgb, rel=1e-12)
    compatible = measured(psnr(compat=COMPAT), *swapped, color="bgr")
    assert compatible.components["mean"] == pytest.approx(bgr, rel=1e-12)


def test_normalized_images():
    truth, estimate = noisy()
    normalized = measured(psnr(normalized_images=True), truth / 255, estimate / 255).value
    assert normalized == pytest.approx(measured(psnr(), truth, estimate).value, rel=1e-12)


@pytest.mark.parametrize("color", ["rgb", "bgr"])
def test_gray_predictions_are_compared_in_gray(color):
    truth, estimate = noisy()
    luma = truth @ np.array([0.299, 0.587, 0.114])
    expected = peak_signal_noise_ratio(luma, estimate[..., 0].astype(float), data_range=255)
    annotated = truth if color == "rgb" else truth[..., ::-1]
    result = measured(psnr(scale_border=0), annotated, estimate[..., :1], color)
    assert result.value == pytest.approx(expected, rel=1e-9)


def test_equal_images_have_100_db():
    truth, estimate = noisy()
    both = measured(psnr(), np.concatenate([truth, truth]), np.concatenate([truth, estimate]))
    assert both.per_sample[0] == 100
    assert both.value == pytest.approx((100 + both.per_sample[1]) / 2)
    almost = np.zeros((1, 600, 600, 1))
    almost[0, 300, 300] = 1
    assert -10 * math.log10(np.mean(np.square(almost / 255))) > 100
    assert measured(psnr(), np.zeros_like(almost), almost).value == 100


def test_compatible_values_average_mean_and_deviation():
    pairs = [noisy(scale) for scale in (5.0, 20.0, 60.0)]
    truth, estimate = (np.concatenate(images) for images in zip(*pairs, strict=True))
    plain, compatible = (measured(psnr(compat=compat), truth, estimate) for compat in (None, COMPAT))
    mean, std = plain.per_sample.mean(), plain.per_sample.std()
    assert plain.value == mean
    assert compatible.value == pytest.approx((mean + std) / 2)
    assert mean - compatible.value > 10
    assert compatible.components == plain.components == {"mean": mean, "std": std}


@pytest.mark.parametrize(("compat", "parts"), [(None, 1), (COMPAT, 3)])
def test_the_largest_value_is_a_component_if_asked(compat, parts):
    pairs = [noisy(scale) for scale in (5.0, 20.0)]
    truth, estimate = (np.concatenate(images) for images in zip(*pairs, strict=True))
    result = measured(psnr(max_error=True, compat=compat), truth, estimate)
    assert [*result.components] == ["mean", "std", "max_error"]
    assert result.components["max_error"] == result.per_sample.max()
    assert result.value == pytest.approx(np.mean([*result.components.values()][:parts]))


def test_any_selection_of_the_evidence():
    truth, estimate = (np.concatenate(images) for images in zip(*[noisy(s) for s in (5.0, 20.0)], strict=True))
    metric = psnr()
    evidence = metric.observe([Image(image) for image in truth], [Image(image) for image in estimate])
    again = metric.summarize([evidence[1], evidence[0], evidence[1]], DatasetMeta())
    assert again.per_sample.tolist() == [evidence[1], evidence[0], evidence[1]]
    assert again.value == pytest.approx((evidence[0] + 2 * evidence[1]) / 3)


def test_no_sample_is_an_error():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected for a mean$"):
        psnr().summarize([], DatasetMeta())


def test_images_that_do_not_suit():
    with pytest.raises(OutputError) as caught:
        measured(psnr(), np.zeros((1, 20, 20, 3)), np.zeros((1, 20, 10, 3)))
    assert str(caught.value) == (
        "a prediction (20, 10, 3) for an annotation (20, 20, 3) found, equal sizes and channels expected; put resize "
        "into the postprocessing"
    )
    with pytest.raises(OutputError) as caught:
        measured(psnr(), *np.zeros((2, 1, 8, 30, 3)))
    assert str(caught.value) == "an image of 30x8 found, more than 8x8 expected by scale_border: 4"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale_border": -1}, "-1 found, at least 0 expected"),
        ({"color_order": "GRB"}, "'GRB' found, 'BGR' or 'RGB' expected"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        psnr(**options)
