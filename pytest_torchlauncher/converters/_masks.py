"""Masks in files of their own."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from ..images import by_opencv, by_pillow
from ..types import Array, Mask

__all__ = ["DecodedMask", "MaskLoader"]

MaskLoader: TypeAlias = Literal[
    "pillow", "pillow_convert_to_rgb", "opencv", "opencv_unchanged", "opencv_gray", "scipy", "numpy"
]
"""Of a palette image pillow gives the indices, pillow_convert_to_rgb and opencv (in BGR) the colours."""


@dataclass(frozen=True)
class DecodedMask:
    """Makes the mask of a file's content by `loader`."""

    loader: MaskLoader = "pillow"

    def __call__(self, content: bytes) -> Mask:
        """Return the mask: labels (H, W), or colours (H, W, 3) uint8.

        Raises:
            ValueError: `content` is no such file.
        """
        values = self._values(content)
        if values.ndim == 3 and values.shape[-1] in (3, 4):
            return Mask(values[..., :3])
        labels = values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else values
        if labels.ndim != 2:
            raise ValueError(f"an array {values.shape} found, a mask (H, W) or colours (H, W, 3) expected")
        return Mask(labels.astype(np.int64) if labels.dtype.kind in "fb" else labels)

    def _values(self, content: bytes) -> Array:
        if self.loader == "numpy":
            return _saved_array(content)
        if self.loader.startswith("opencv"):
            flags: dict[str, Literal["COLOR", "GRAYSCALE", "UNCHANGED"]] = {
                "opencv": "COLOR",
                "opencv_gray": "GRAYSCALE",
                "opencv_unchanged": "UNCHANGED",
            }
            return by_opencv(content, flags[self.loader])
        values, _ = by_pillow(content, "RGB" if self.loader == "pillow_convert_to_rgb" else None)
        return values


def _saved_array(content: bytes) -> Array:
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        return np.asarray(next(iter(loaded.values())) if isinstance(loaded, np.lib.npyio.NpzFile) else loaded)
    except (ValueError, OSError, EOFError, StopIteration) as error:
        raise ValueError(f"no array saved by numpy found: {error}") from None
