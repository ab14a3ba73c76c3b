"""YAML read as `Table`, `Row` and `Text`: plain values that know where they were written."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from ..errors import ConfigError, Position, Problem
from ..located import Row, Table, Text

__all__ = ["read_document"]

_MERGE = "tag:yaml.org,2002:merge"
_STRING = "tag:yaml.org,2002:str"
_PLACED = (Text, Table, Row)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_document(path: Path) -> tuple[Any, tuple[Problem, ...]]:
    """Return the document in `path` and the problems that do not keep it from being read: keys given twice.

    Raises:
        ConfigError: `path` is not there, not UTF-8, or not YAML.
    """
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise ConfigError([Problem(Position(path, 1, 1), "", f"cannot be read: {error.strerror}")]) from None
    return _read(path, stamp)


@functools.lru_cache(maxsize=64)
def _read(path: Path, _stamp: int) -> tuple[Any, tuple[Problem, ...]]:
    start = Position(path, 1, 1)
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(start, "", f"byte {error.start} is not UTF-8; save the file as UTF-8")]) from None
    except OSError as error:
        raise ConfigError([Problem(start, "", f"cannot be read: {error.strerror}")]) from None
    except yaml.reader.ReaderError as error:
        raise ConfigError([Problem(start, "", f"not YAML: {error.reason}")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Position(path, mark.line + 1, mark.column + 1) if mark else start
        raise ConfigError([Problem(where, "", f"not YAML: {error.problem or error.context}")]) from None
    if node is None:
        return None, ()
    builder = _Builder(path)
    return builder.build(node, ""), tuple(builder.problems)


class _Builder:
    """Turns composed nodes into located values and gathers problems on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._scalars = yaml.constructor.SafeConstructor()
        self._open: set[int] = set()

    def build(self, node: yaml.Node, path: str) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            raise ConfigError([Problem(self._place(node), path, "an alias contains itself; write the value out")])
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._table(node, path)
            items = [self.build(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
            places = [self._place_of(value, item) for value, item in zip(items, node.value, strict=True)]
            return Row(items, self._place(node), places)
        finally:
            self._open.discard(id(node))

    def _table(self, node: yaml.MappingNode, path: str) -> Table:
        items: dict[Any, Any] = {}
        keys_at: dict[Any, Position] = {}
        values_at: dict[Any, Position] = {}
        merged: list[Table] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                value = self.build(value_node, path)
                parts = value if isinstance(value, Row) else [value]
                if not all(isinstance(part, Table) for part in parts):
                    self._problem(value_node, path, "<< found with something else than mappings")
                merged += [part for part in parts if isinstance(part, Table)]
                continue
            key = self.build(key_node, path)
            if not isinstance(key, Hashable):
                self._problem(key_node, path, "a list or mapping found as a key, a name expected")
                continue
            where = self._place_of(key, key_node)
            key = str(key) if isinstance(key, str) else key
            inner = f"{path}.{key}" if path else str(key)
            if key in items:
                self._problem(key_node, inner, f"given twice, first on line {keys_at[key].line}; keep one")
            value = items[key] = self.build(value_node, inner)
            keys_at[key], values_at[key] = where, self._place_of(value, value_node)
        table = Table(items, self._place(node), keys_at, values_at)
        for base in merged:
            table = table.over(base)
        return table

    def _scalar(self, node: yaml.Node, path: str) -> Any:
        if node.tag == _STRING:  # most of them, and what the constructor returns is the same
            return Text(node.value, self._place(node))
        try:
            value = self._scalars.construct_object(node)
        except (yaml.constructor.ConstructorError, ValueError, LookupError, AttributeError) as error:
            self._problem(node, path, f"{node.value!r} cannot be read: {getattr(error, 'problem', error)}")
            return None
        if isinstance(value, str | date | bytes):
            return Text(str(node.value), self._place(node))
        return value

    def _place_of(self, value: Any, node: yaml.Node) -> Position:
        """Return where `value`, made of `node`, begins; most values know."""
        # Of an alias the value says where its anchor is, as its node does.
        return value.where if isinstance(value, _PLACED) else self._place(node)

    def _place(self, node: yaml.Node) -> Position:
        return Position(self.path, node.start_mark.line + 1, node.start_mark.column + 1)

    def _problem(self, node: yaml.Node, path: str, message: str) -> None:
        self.problems.append(Problem(self._place(node), path, message))
