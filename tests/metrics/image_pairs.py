"""Random annotated images and predictions of them, for comparisons with other packages."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from pytest_torchlauncher.types import DatasetMeta, Image


@st.composite
def batches(draw, least=11):
    """Draw arrays (N, H, W, C) uint8 of the truth and of estimates, some of them constant or equal to the truth."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    sides = draw(st.tuples(st.integers(least, 24), st.integers(least, 24)))
    shape = (draw(st.integers(1, 3)), *sides, draw(st.sampled_from([1, 3])))
    truth = rng.integers(0, 256, shape)
    noise = rng.normal(scale=draw(st.sampled_from([0.6, 8, 90])), size=shape)
    estimate = truth * draw(st.sampled_from([0, 0.5, 1])) + noise
    return truth.astype(np.uint8), estimate.clip(0, 255).round().astype(np.uint8)


def measured(metric, truth, estimate, color=None):
    """Return what `metric` says about arrays (N, H, W, C)."""
    annotations, predictions = [Image(image, color) for image in truth], [Image(image) for image in estimate]
    return metric.summarize(metric.observe(annotations, predictions), DatasetMeta())


def textured(size=64):
    """Return an image (1, H, W, 3) uint8 of a coarse structure with a fine one upon it."""
    y, x = np.mgrid[:size, :size]
    coarse = np.sin(x / 9) * np.cos(y / 11)
    channels = [127.5 + 90 * coarse + 20 * np.sin(1.7 * x + channel) * np.cos(1.3 * y) for channel in range(3)]
    return np.stack(channels, axis=-1)[np.newaxis].clip(0, 255).astype(np.uint8)
