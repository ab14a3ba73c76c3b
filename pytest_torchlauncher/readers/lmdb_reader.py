"""Images in an LMDB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, display_path
from ..extras import require
from ..images import by_opencv
from ..kinds import Reader
from ..registry import register
from ..types import Array, Color

__all__ = ["LmdbReader"]


@register("lmdb_reader")
@dataclass(frozen=True, kw_only=True)
class LmdbReader(Reader):
    """Encoded images under the keys ``image-000000001`` and so on; the identifier of an item is that number."""

    @property
    def on_threads(self) -> bool:
        """No: a process may have a database open only once."""
        return False

    def fetch(self, root: Path, identifier: str) -> bytes:
        """Return the stored bytes of the image with that number.

        Raises:
            DataError: `identifier` is no number, `root` is no LMDB, or it has no such image.
            MissingExtraError: lmdb is not installed.
        """
        if not (identifier.isascii() and identifier.isdecimal()):
            raise DataError(f"identifier {identifier!r} found, the number of an image in an LMDB expected")
        lmdb, key = require("lmdb", "lmdb"), f"image-{int(identifier):09d}"
        try:
            # A process may have a database open only once, and the converter and other evaluations open it too.
            # Opening costs less than decoding an image.
            with lmdb.open(str(root), readonly=True, lock=False) as store, store.begin() as transaction:
                content = transaction.get(key.encode())
        except lmdb.Error as error:
            raise DataError(f"data_source cannot be read as LMDB: {error}") from None
        if content is None:
            raise DataError(
                f"no key {key} found in the LMDB {display_path(root)}; correct the identifiers of the annotations"
            )
        return bytes(content)

    def decode(self, content: bytes) -> tuple[Array, Color | None]:
        """Return the image (H, W, 3) in its own depth and ``bgr``; a gray one has three equal channels.

        Raises:
            ValueError: `content` is no image that OpenCV knows, or has another number of channels.
        """
        image = by_opencv(content, "UNCHANGED")
        if image.ndim == 2:
            image = np.repeat(image[..., np.newaxis], 3, axis=2)
        if image.shape[2] != 3:
            raise ValueError(f"an image with {image.shape[2]} channels found, one or three expected")
        return image, "bgr"
