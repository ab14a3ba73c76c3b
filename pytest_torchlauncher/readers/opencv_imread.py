"""Images by OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator

from ..kinds import Reader
from ..registry import register
from ..types import Array, Color

__all__ = ["OpenCVImread"]

_FLAGS = {"color": "IMREAD_COLOR", "gray": "IMREAD_GRAYSCALE", "unchanged": "IMREAD_UNCHANGED"}


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


@register("opencv_imread")
@dataclass(frozen=True, kw_only=True)
class OpenCVImread(Reader):
    """What ``cv2.imread`` gives, with a channel axis in any case; the default reader.

    Args:
        reading_flag: color (H, W, 3) in BGR; gray (H, W, 1); or unchanged, which keeps alpha and bit depth, and does
            not turn the image as its EXIF orientation says.
    """

    reading_flag: Annotated[Literal["color", "gray", "unchanged"], BeforeValidator(_lower)] = "color"

    def decode(self, content: bytes) -> tuple[Array, Color | None]:
        """Return the image (H, W, C) uint8, or its own depth if unchanged, and ``bgr`` or ``gray``.

        Raises:
            ValueError: `content` is no image that OpenCV knows.
        """
        import cv2

        try:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), getattr(cv2, _FLAGS[self.reading_flag]))
        except cv2.error:
            image = None
        if image is None:
            raise ValueError(f"{len(content)} bytes found that OpenCV cannot decode, an image expected")
        return (image[..., np.newaxis], "gray") if image.ndim == 2 else (image, "bgr")
