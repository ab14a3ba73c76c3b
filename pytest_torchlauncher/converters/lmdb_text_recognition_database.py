"""Texts in an LMDB, beside their images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import DataError, MissingDataError, display_path
from ..extras import require
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Text
from ._texts import ALPHABET

__all__ = ["LmdbTextRecognitionDatabase"]

_Get: TypeAlias = Callable[[bytes], bytes | None]


@register("lmdb_text_recognition_database")
@dataclass(frozen=True, kw_only=True)
class LmdbTextRecognitionDatabase(Converter):
    """Texts under the keys ``label-000000001`` to ``num-samples``; the symbols are digits and lower-case letters.

    An item's identifier is its number; ``lmdb_reader`` reads its image.

    Args:
        data_dir: the folder of the database.
        lower_case: whether to turn the texts into lower case.
    """

    data_dir: DataPath
    lower_case: bool = False

    def convert(self) -> Annotations:
        """Return the texts in the order of their numbers.

        Raises:
            MissingDataError: the folder is not there.
            DataError: it is no LMDB, or a key is missing or has another content.
            MissingExtraError: lmdb is not installed.
        """
        if not self.data_dir.exists():
            raise MissingDataError(f"data_dir is not there: {display_path(self.data_dir)}")
        lmdb = require("lmdb", "lmdb")
        try:
            with lmdb.open(str(self.data_dir), readonly=True, lock=False) as store, store.begin() as transaction:
                return self._annotations(transaction.get)
        except lmdb.Error as error:
            raise DataError(f"data_dir cannot be read as LMDB: {error}") from None

    def _annotations(self, get: _Get) -> Annotations:
        count = self._text(get, "num-samples")
        if not (count.isascii() and count.isdecimal()):
            raise self._error(f"num-samples: {count!r} found, a number expected")
        items = tuple(self._item(get, number) for number in range(1, int(count) + 1))
        return Annotations(items, ALPHABET, self.data_dir)

    def _item(self, get: _Get, number: int) -> Annotated:
        text = self._text(get, f"label-{number:09d}")
        return Annotated(str(number), Text(text.lower() if self.lower_case else text))

    def _text(self, get: _Get, key: str) -> str:
        content = get(key.encode())
        if content is None:
            raise self._error(f"no key {key} found")
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise self._error(f"{key}: byte {error.start} is no UTF-8, text expected") from None

    def _error(self, message: str) -> DataError:
        return DataError(f"data_dir {display_path(self.data_dir)}: {message}")
