"""Reading XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from ..errors import DataError, Position
from ._files import read_bytes

__all__ = ["read_xml"]


def read_xml(path: Path, option: str) -> ElementTree.Element:
    """Return the outermost element of the XML file `path`, which the option named `option` gives.

    Raises:
        MissingDataError: it is not there.
        DataError: it cannot be read, or is no XML.
    """
    try:
        return ElementTree.fromstring(read_bytes(path, option))
    except ElementTree.ParseError as error:
        line, column = error.position
        raise DataError(f"invalid XML: {error}; correct the file", Position(path, line, column + 1)) from None
