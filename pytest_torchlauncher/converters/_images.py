"""Images that an annotation file holds, written out as PNG files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import DataError, display_path
from ..opencv import opencv
from ..types import Annotated
from ..whole_files import write_whole

__all__ = ["write_missing"]


def write_missing(items: Iterable[Annotated], folder: Path) -> None:
    """Write the `data` of each item to the PNG file ``folder / identifier``, where that is not there yet.

    Raises:
        DataError: `folder` cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for item in items:
            if not (folder / item.identifier).exists():
                _write(item, folder / item.identifier)
    except OSError as error:
        raise DataError(
            f"converted images cannot be written to {display_path(folder)}: {error.strerror}; "
            "set converted_images_dir to a folder that can be written to, or convert_images: false"
        ) from error


def _write(item: Annotated, path: Path) -> None:
    cv2 = opencv()

    image: Any = item.data
    _, content = cv2.imencode(".png", image[..., ::-1] if item.color == "rgb" else image)
    # Several workers may convert at once: none may see another's half-written file.
    write_whole(path, content.tobytes())
