"""Structural similarity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import OutputError
from ..opencv import opencv
from ..registry import register
from ..types import Array, Color
from ._image_quality import ImageQuality

__all__ = ["SSIM"]

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@register("ssim")
@dataclass(frozen=True, kw_only=True)
class SSIM(ImageQuality):
    """The mean over the images of their structural similarity, for values from 0 to 255.

    Of an image it is the mean over its channels and over all positions of a Gaussian window of 11x11 px and sigma 1.5
    that lie inside: Wang et al., Image quality assessment: from error visibility to structural similarity, 2004. It
    is what scikit-image computes with ``gaussian_weights``; torchmetrics adds windows over a mirrored border.

    Args:
        max_error: whether the largest value of an image is a component, too, under this name.
        compat: ``accuracy_checker``: as there, one window spans the whole image with all its channels, which is blind
            to where the structures lie and mostly far greater; and `value` is the mean of all components, the
            standard deviation among them.
    """

    def quality(self, truth: Array, estimate: Array, color: Color) -> float:
        """Return the similarity of one image, from -1 to 1.

        Raises:
            OutputError: the window does not fit into it.
        """
        if self.compat:
            return float(_similarity(truth, estimate, np.mean))
        if min(truth.shape[:2]) < _WINDOW:
            height, width, _ = truth.shape
            raise OutputError(f"an image of {width}x{height} found, at least {_WINDOW}x{_WINDOW} expected")
        return float(np.mean(_similarity(truth, estimate, _windowed)))


def _similarity(x: Array, y: Array, mean: Callable[[Array], Array]) -> Array:
    """Return the similarity of `x` and `y` in every window over which `mean` averages."""
    mean_x, mean_y = mean(x), mean(y)
    variances = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    means = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    similarity: Array = means * (2 * covariance + _C2) / (variances + _C2)
    return similarity


def _windowed(image: Array) -> Array:
    """Return the weighted mean (H - 10, W - 10, C) of `image` (H, W, C) in every window that lies inside."""
    cv2 = opencv()

    height, width, channels = image.shape
    means = cv2.GaussianBlur(image, (_WINDOW, _WINDOW), _SIGMA).reshape(height, width, channels)
    border = _WINDOW // 2
    inside: Array = means[border : height - border, border : width - border]
    return inside
