"""Arrays written as text."""

from __future__ import annotations

from dataclasses import dataclass

from ..kinds import Reader
from ..registry import register
from ..text_arrays import parse_array
from ..types import Array, Color

__all__ = ["NumpyTxtReader"]


@register("numpy_txt_reader")
@dataclass(frozen=True, kw_only=True)
class NumpyTxtReader(Reader):
    """The numbers of a text file as ``numpy.savetxt`` writes it, a row a line."""

    def decode(self, content: bytes) -> tuple[Array, Color | None]:
        """Return the numbers, float64, (rows, columns) without axes of length 1, and no order of channels.

        Raises:
            ValueError: `content` is no such text.
        """
        return parse_array(content), None
