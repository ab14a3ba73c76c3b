"""Plain values that remember where they were written: the YAML document as pydantic and people see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .errors import Position

__all__ = ["Row", "Table", "Text", "locate", "located"]


class Text(str):
    """A string with its place."""

    __slots__ = ("where",)
    where: Position

    def __new__(cls, value: str, where: Position) -> Text:
        """Return `value` written at `where`."""
        text = super().__new__(cls, value)
        text.where = where
        return text


class Row(list[Any]):
    """A list with the places of its items."""

    def __init__(self, items: Iterator[Any] | list[Any], where: Position, places: list[Position]) -> None:
        super().__init__(items)
        self.where = where
        self.places = places


class Table(dict[str, Any]):
    """A mapping with its own place and those of its keys and values."""

    def __init__(
        self,
        items: Mapping[str, Any],
        where: Position,
        keys_at: Mapping[str, Position],
        values_at: Mapping[str, Position],
    ) -> None:
        super().__init__(items)
        self.where = where
        self.keys_at = keys_at
        self.values_at = values_at

    def over(self, base: Table) -> Table:
        """Return this table laid over `base`: key by key, this one's winning, each value keeping its own place."""
        return Table(
            {**base, **self}, self.where, {**base.keys_at, **self.keys_at}, {**base.values_at, **self.values_at}
        )

    def without(self, *keys: str) -> Table:
        """Return this table without `keys`."""
        return Table({k: v for k, v in self.items() if k not in keys}, self.where, self.keys_at, self.values_at)

    def only(self, *keys: str) -> Table:
        """Return this table with none but `keys`."""
        return Table({k: v for k, v in self.items() if k in keys}, self.where, self.keys_at, self.values_at)


def locate(document: Any, path: tuple[int | str, ...], default: Position, *, key: bool = False) -> Position:
    """Return the place of the value at `path` in `document`, or of its key; the nearest known place above otherwise."""
    where = getattr(document, "where", default)
    for depth, step in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(document, Table) and isinstance(step, str) and step in document:
            places = document.keys_at if key and last else document.values_at
            where, document = places.get(step, where), document[step]
        elif isinstance(document, Row) and isinstance(step, int) and step < len(document):
            where, document = document.places[step], document[step]
        else:
            break
    return where


def located(value: Any, where: Position) -> Any:
    """Return plain Python `value` (mappings, lists, scalars) with every part placed at `where`."""
    if isinstance(value, Mapping):
        items = {str(k): located(v, where) for k, v in value.items()}
        places = dict.fromkeys(items, where)
        return Table(items, where, places, places)
    if isinstance(value, list | tuple):
        return Row([located(v, where) for v in value], where, [where] * len(value))
    if isinstance(value, Path):
        return Text(str(value), where)
    return Text(value, where) if isinstance(value, str) else value
