"""Words of ICDAR 2013, and the like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotations
from ._texts import ALPHABET, read_texts

__all__ = ["Icdar13Recognition"]

_DELIMITERS = {"space": " ", "tab": "\t"}


@register("icdar13_recognition")
@dataclass(frozen=True, kw_only=True)
class Icdar13Recognition(Converter):
    """Texts from lines ``file text``, parted at the first delimiter; the symbols are digits and lower-case letters.

    Args:
        annotation_file: the lines; blank ones are skipped.
        images_dir: where the images lie, if the dataset has no ``data_source``; the folder of `annotation_file` by
            default.
        delimeter: what parts file and text, spelled as the Accuracy Checker spells it.
    """

    annotation_file: DataPath
    images_dir: DataPath | None = None
    delimeter: Literal["space", "tab"] = "space"

    def convert(self) -> Annotations:
        """Return the lines in the order of the file.

        Raises:
            MissingDataError: the file is not there.
            DataError: a line has no delimiter.
        """
        items = read_texts(
            self.annotation_file, _DELIMITERS[self.delimeter], f"file and text with a {self.delimeter} between"
        )
        return Annotations(items, ALPHABET, self.images_dir or self.annotation_file.parent)
