"""The ssim metric against scikit-image and torchmetrics."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from image_pairs import batches, measured, textured
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.metrics.ssim import SSIM

COMPAT = "accuracy_checker"


@settings(max_examples=50, deadline=None, derandomize=True)
@given(pair=batches())
def test_agrees_with_scikit_image_and_torchmetrics(pair):
    truth, estimate = pair
    result = measured(SSIM(), truth, estimate)
    options = {"data_range": 255, "channel_axis": -1, "gaussian_weights": True, "use_sample_covariance": False}
    samples = [structural_similarity(*images, sigma=1.5, **options) for images in zip(truth, estimate, strict=True)]
    np.testing.assert_allclose(result.per_sample, samples, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(result.per_sample, by_torchmetrics(truth, estimate), rtol=1e-6, atol=1e-8)
    assert result.components == {"mean": result.value, "std": pytest.approx(np.std(samples), abs=1e-7)}
    assert (result.higher_is_better, result.bounded, result.unit) == (True, True, "")


def by_torchmetrics(truth, estimate):
    """Return the similarity (N,) without that of windows over the mirrored pixels that torchmetrics puts around."""
    tensors = (torch.from_numpy(images.astype(np.float64)).permute(0, 3, 1, 2) for images in (estimate, truth))
    _, images = structural_similarity_index_measure(*tensors, data_range=255.0, return_full_image=True)
    return images[..., 5:-5, 5:-5].mean(dim=(1, 2, 3)).numpy()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(pair=batches(least=2))
def test_compatible_values_are_of_one_window(pair):
    result = measured(SSIM(compat=COMPAT), *pair)
    samples = [one_window(*images) for images in zip(*pair, strict=True)]
    np.testing.assert_allclose(result.per_sample, samples, rtol=1e-9, atol=1e-12)
    assert result.value == pytest.approx((np.mean(samples) + np.std(samples)) / 2, abs=1e-12)


def one_window(truth, estimate):
    """Return the similarity of two images by the covariance of all their values."""
    (variance, covariance), (_, other) = np.cov(truth.ravel(), estimate.ravel(), ddof=0)
    mean, other_mean = truth.mean(), estimate.mean()
    c1, c2 = 6.5025, 58.5225
    brightness = (2 * mean * other_mean + c1) / (mean**2 + other_mean**2 + c1)
    return brightness * (2 * covariance + c2) / (variance + other + c2)


def test_equal_images_are_1_and_negatives_below_0():
    image = textured()
    for compat in (None, COMPAT):
        assert measured(SSIM(compat=compat), image, image).components["mean"] == pytest.approx(1, abs=1e-12)
        assert measured(SSIM(compat=compat), image, 255 - image).components["mean"] < -0.5


def test_one_window_is_blind_to_blur():
    image = textured()
    blurred = cv2.GaussianBlur(image[0], (0, 0), 2)[np.newaxis]
    windowed, compatible = (
        measured(SSIM(compat=compat), image, blurred).components["mean"] for compat in (None, COMPAT)
    )
    assert windowed == pytest.approx(0.673, abs=0.005)
    assert compatible == pytest.approx(0.969, abs=0.005)


@pytest.mark.parametrize("color", ["rgb", "bgr"])
def test_gray_predictions_are_compared_in_gray(color):
    truth = textured()
    luma = truth @ np.array([[0.299], [0.587], [0.114]])
    result = measured(SSIM(), truth if color == "rgb" else truth[..., ::-1], luma, color)
    assert result.value == pytest.approx(1, abs=1e-12)


def test_the_window_has_to_fit():
    with pytest.raises(OutputError, match=r"^an image of 30x10 found, at least 11x11 expected$"):
        measured(SSIM(), *np.zeros((2, 1, 10, 30, 3)))
    assert measured(SSIM(), *np.zeros((2, 1, 11, 11, 3))).value == 1
