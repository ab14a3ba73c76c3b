"""Images by Pillow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..images import by_pillow
from ..kinds import Reader
from ..registry import register
from ..types import Array, Color

__all__ = ["PillowImread"]

_COLORS: dict[str, Color] = {"RGB": "rgb", "RGBA": "rgb", "L": "gray"}


@register("pillow_imread")
@dataclass(frozen=True, kw_only=True)
class PillowImread(Reader):
    """What Pillow opens, as torchvision's datasets do; the EXIF orientation is not applied.

    Args:
        to_rgb: whether to convert to RGB; otherwise the mode of the file stays, so that a palette image gives indices.
    """

    to_rgb: bool = True

    def decode(self, content: bytes) -> tuple[Array, Color | None]:
        """Return the image (H, W, C), in RGB (H, W, 3) uint8 unless its mode stays.

        Raises:
            ValueError: `content` is no image that Pillow knows.
        """
        array, mode = by_pillow(content, "RGB" if self.to_rgb else None)
        return (array[..., np.newaxis] if array.ndim == 2 else array), _COLORS.get(mode)
