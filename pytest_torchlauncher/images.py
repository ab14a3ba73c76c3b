"""Images from the content of their files, as OpenCV and Pillow read them."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np

from .opencv import opencv
from .types import Array

__all__ = ["by_opencv", "by_pillow"]


def by_opencv(content: bytes, flag: Literal["COLOR", "GRAYSCALE", "UNCHANGED"]) -> Array:
    """Return the image that `content` holds as ``cv2.imread`` with that flag: (H, W) or (H, W, C).

    Raises:
        ValueError: it holds none that OpenCV knows.
    """
    cv2 = opencv()

    try:
        image: Array | None = cv2.imdecode(np.frombuffer(content, np.uint8), getattr(cv2, f"IMREAD_{flag}"))
    except cv2.error:
        image = None
    if image is None:
        raise ValueError(f"{len(content)} bytes found that OpenCV cannot decode, an image expected")
    return image


def by_pillow(content: bytes, mode: Literal["RGB"] | None = None) -> tuple[Array, str]:
    """Return the image that `content` holds, (H, W) or (H, W, C), and its mode: `mode`, or that of the file.

    Raises:
        ValueError: it holds none that Pillow knows.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        opened = Image.open(io.BytesIO(content))
        image: Image.Image = opened.convert(mode) if mode else opened
        return np.array(image), image.mode
    except UnidentifiedImageError:
        raise ValueError(f"{len(content)} bytes found that Pillow cannot decode, an image expected") from None
    # Pillow reports broken PNG files by SyntaxError.
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{len(content)} bytes found that Pillow cannot decode ({error})") from error
