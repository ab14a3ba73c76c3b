"""Small pictures of samples, as they were before preprocessing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from ..errors import LauncherError
from ..opencv import opencv
from ..types import Array, Label, Sample, Thumbnail
from .drawn import drawing_of

__all__ = ["thumbnails"]

_BYTES = 1500
"""What a picture should take."""
_STEPS = ((112, 80), (112, 60), (112, 40), (112, 20), (72, 40), (72, 20), (48, 20))
"""Longer sides, px, and qualities that are tried."""
_DARK = 64
"""Images of bytes whose highest level is below are stretched."""
_CRISP = 48
"""Images up to this side are kept without loss: a few blurred pixels show nothing."""


def thumbnails(samples: Iterable[Sample], positions: Sequence[int]) -> Mapping[int, Thumbnail]:
    """Return a picture of each sample at `positions`, which is read again for it.

    There are none where the dataset gives its samples only once.
    """
    if not len(positions):
        return {}
    # The measurement is there: a picture that cannot be had takes nothing from it.
    with suppress(LauncherError):
        return {position: _thumbnail(sample) for position, sample in _picked(samples, positions)}
    return {}


def _picked(samples: Iterable[Sample], positions: Sequence[int]) -> Iterator[tuple[int, Sample]]:
    if hasattr(samples, "__getitem__"):
        yield from ((position, samples[position]) for position in positions)
        return
    wanted, last = set(positions), max(positions)
    for position, sample in enumerate(samples):
        if position in wanted:
            yield position, sample
        if position >= last:
            return


def _thumbnail(sample: Sample) -> Thumbnail:
    image = next((image for part in sample.parts.values() if (image := _image(part)) is not None), None)
    annotation = sample.annotation
    drawing = None if isinstance(annotation, Label) else drawing_of(annotation, sample.original_size)
    if image is None:
        return Thumbnail(b"", None, drawing)
    # OpenCV writes BGR.
    content = _encoded(image if sample.color == "bgr" else image[..., ::-1])
    return Thumbnail(content, (image.shape[0], image.shape[1]), drawing)


def _image(data: Any) -> Array | None:
    """Return an array (H, W, C) or a tensor (C, H, W) as an image (H, W, 3) uint8; None of anything else."""
    if getattr(data, "ndim", 0) != 3:
        return None
    values = (
        np.asarray(data) if isinstance(data, np.ndarray) else np.moveaxis(data.detach().cpu().float().numpy(), 0, 2)
    )
    if values.shape[2] not in (1, 3, 4) or not values.size:
        return None
    values = values[..., :3]
    # Nobody knows what stands for black and white in floats, nor in bytes that begin and end far from both.
    if values.dtype != np.uint8 or values.max() < _DARK:
        values = np.nan_to_num(values.astype(np.float64))
        low, high = values.min(), values.max()
        values = ((values - low) * (255 / (high - low or 1))).round().astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(values, (*values.shape[:2], 3)))


def _encoded(image: Array) -> bytes:
    """Return a PNG of a tiny image, of any other a WebP that is small in px and bytes."""
    cv2 = opencv()
    if max(image.shape) <= _CRISP:
        return bytes(cv2.imencode(".png", image)[1])
    for side, quality in _STEPS:
        content = bytes(cv2.imencode(".webp", _fitted(image, side), [cv2.IMWRITE_WEBP_QUALITY, quality])[1])
        if len(content) <= _BYTES:
            break
    return content


def _fitted(image: Array, side: int) -> Array:
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    cv2 = opencv()
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    fitted: Array = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return fitted
