"""Files with an item and its text a line, and the alphabet of the datasets of words."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError, Position
from ..types import Annotated, DatasetMeta, Text
from ._files import read_lines

__all__ = ["ALPHABET", "read_texts"]

_SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyz"

ALPHABET = DatasetMeta(dict(enumerate(_SYMBOLS)), blank_label=len(_SYMBOLS))
"""Digits and lower-case letters, and the blank after them."""


def read_texts(path: Path, delimiter: str, shape: str) -> tuple[Annotated, ...]:
    """Return the items of the lines in `path`, an item's file and its text parted by the first `delimiter`.

    Args:
        path: the ``annotation_file``; blank lines are skipped.
        delimiter: a character.
        shape: of a line, in words.

    Raises:
        MissingDataError: the file is not there.
        DataError: a line has no `delimiter`.
    """
    lines = enumerate(read_lines(path, "annotation_file"), start=1)
    return tuple(_item(line, delimiter, shape, Position(path, number, 1)) for number, line in lines if line)


def _item(line: str, delimiter: str, shape: str, where: Position) -> Annotated:
    file, found, text = line.partition(delimiter)
    if not found:
        raise DataError(f"{line!r} found, {shape} expected", where)
    return Annotated(file, Text(text))
