"""Images by Pillow."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

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
        from PIL import Image

        try:
            opened = Image.open(io.BytesIO(content))
            image: Image.Image = opened.convert("RGB") if self.to_rgb else opened
            array = np.array(image)
        # Pillow reports broken PNG files by SyntaxError.
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise ValueError(f"{len(content)} bytes found that Pillow cannot decode ({error})") from error
        return (array[..., np.newaxis] if array.ndim == 2 else array), _COLORS.get(image.mode)
