"""Arrays in numpy's own formats."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np

from ..kinds import Reader
from ..registry import register
from ..types import Array, Color

__all__ = ["NumpyReader"]


@register("numpy_reader")
@dataclass(frozen=True, kw_only=True)
class NumpyReader(Reader):
    """The array of an ``.npy`` file, or the first one of an ``.npz`` file."""

    def decode(self, content: bytes) -> tuple[Array, Color | None]:
        """Return the array as it was stored, of any shape, without an order of channels.

        Raises:
            ValueError: `content` is no such file, or holds Python objects, which may run code when they are read.
        """
        try:
            return _load(content), None
        except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
            raise ValueError(f"{len(content)} bytes found that numpy cannot read without pickle ({error})") from error


def _load(content: bytes) -> Array:
    stored = np.load(io.BytesIO(content), allow_pickle=False)
    if isinstance(stored, np.ndarray):
        return stored
    arrays = (stored[name] for name in stored.files)
    for array in arrays:
        if isinstance(array, np.ndarray):
            return array
    raise ValueError("no array in the archive, one expected")
