"""Text files with an item and its text a line."""

from __future__ import annotations

from dataclasses import dataclass

from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotations
from ._texts import read_texts

__all__ = ["CommonTextRecognition"]


@register("common_text_recognition")
@dataclass(frozen=True, kw_only=True)
class CommonTextRecognition(Converter):
    """Texts from lines ``file text``, parted at the first space; the text may hold more of them.

    Args:
        annotation_file: the lines; blank ones are skipped.
    """

    annotation_file: DataPath

    def convert(self) -> Annotations:
        """Return the lines in the order of the file.

        Raises:
            MissingDataError: the file is not there.
            DataError: a line is not ``file text``.
        """
        return Annotations(read_texts(self.annotation_file, " ", "'file text'"))
