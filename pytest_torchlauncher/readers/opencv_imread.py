"""Images by OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator

from ..images import by_opencv
from ..kinds import Reader
from ..registry import register
from ..types import Array, Color

__all__ = ["OpenCVImread"]

_FLAGS: dict[str, Literal["COLOR", "GRAYSCALE", "UNCHANGED"]] = {
    "color": "COLOR",
    "gray": "GRAYSCALE",
    "unchanged": "UNCHANGED",
}


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
        image = by_opencv(content, _FLAGS[self.reading_flag])
        return (image[..., np.newaxis], "gray") if image.ndim == 2 else (image, "bgr")
