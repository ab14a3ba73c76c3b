"""Images in files of their own that annotate others: targets, alpha masks, depth maps."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import DataError, MissingDataError, display_path
from ..types import Array

__all__ = ["by_opencv", "by_pillow", "checked_folder"]


def checked_folder(folder: Path, option: str) -> Path:
    """Return `folder`, which the option named `option` gives.

    Raises:
        MissingDataError: it is not there.
        DataError: it is a file.
    """
    if folder.is_dir():
        return folder
    if folder.exists():
        raise DataError(f"{option} {display_path(folder)} is a file, a folder expected")
    raise MissingDataError(f"{option} is not there: {display_path(folder)}")


def by_opencv(content: bytes, flag: Literal["COLOR", "GRAYSCALE", "UNCHANGED"]) -> Array:
    """Return the image that `content` holds as ``cv2.imread`` with that flag: (H, W) or (H, W, C).

    Raises:
        ValueError: it holds none that OpenCV knows.
    """
    import cv2

    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), getattr(cv2, f"IMREAD_{flag}"))
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
    from PIL import Image

    try:
        opened = Image.open(io.BytesIO(content))
        image: Image.Image = opened.convert(mode) if mode else opened
        return np.array(image), image.mode
    # Pillow reports broken PNG files by SyntaxError.
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{len(content)} bytes found that Pillow cannot decode ({error})") from error
