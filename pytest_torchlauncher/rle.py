"""Binary masks as COCO's compressed run lengths: column by column, from the upper left pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .extras import require
from .types import Array, Rle, Size

__all__ = ["decode", "encode", "from_coco"]


def encode(mask: Array) -> Rle:
    """Return the run lengths of `mask` (H, W) bool.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
    """
    return _rle(_coco().encode(np.asfortranarray(mask, dtype=np.uint8)))


def decode(rle: Rle) -> Array:
    """Return the mask (H, W) bool.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
    """
    decoded: Array = _coco().decode({"size": list(rle.size), "counts": rle.counts})
    return decoded.astype(bool)


_FARTHEST = 100
"""In sides of the image: the memory that a polygon takes grows with its coordinates."""


def from_coco(segmentation: Any, size: Size) -> Rle:
    """Return the run lengths of a COCO ``segmentation`` in an image of `size` (H, W) px.

    Args:
        segmentation: polygons, each a list of x and y in turn, or run lengths, compressed or not.
        size: of the image.

    Raises:
        ValueError: it is neither, or of another size.
        MissingExtraError: faster-coco-eval is not installed.
    """
    if isinstance(segmentation, Mapping):
        return _from_counts(segmentation, size)
    limit = _FARTHEST * max(size)
    if not isinstance(segmentation, list) or not all(_is_polygon(polygon, limit) for polygon in segmentation):
        raise ValueError(
            "a segmentation found that is neither a list of polygons with three points or more nor run lengths"
        )
    if not segmentation:
        return encode(np.zeros(size, dtype=bool))
    coco = _coco()
    return _rle(coco.merge(coco.frPyObjects([list(map(float, polygon)) for polygon in segmentation], *size)))


def _is_polygon(value: Any, limit: float) -> bool:
    is_even = isinstance(value, list) and len(value) >= 6 and len(value) % 2 == 0
    return is_even and all(isinstance(number, int | float) and abs(number) <= limit for number in value)


def _from_counts(segmentation: Mapping[str, Any], size: Size) -> Rle:
    found, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(found, list) or found != list(size) or counts is None:
        raise ValueError(f"run lengths of size {found} found, those of the image, {size}, expected")
    coco, written = _coco(), {"size": list(size), "counts": counts}
    try:
        encoded = written if isinstance(counts, str | bytes) else coco.frPyObjects(written, *size)
        coco.decode(encoded)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"run lengths found that do not fill {size[0]} x {size[1]} px, as many expected") from None
    return _rle(encoded)


def _rle(coco: Mapping[str, Any]) -> Rle:
    height, width = coco["size"]
    counts = coco["counts"]
    return Rle((int(height), int(width)), counts.encode() if isinstance(counts, str) else bytes(counts))


def _coco() -> Any:
    return require("faster_coco_eval.core.mask", "coco")
