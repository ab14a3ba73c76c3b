"""Entries of a config as plain values for a file that lies elsewhere."""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Union

from ..errors import Position
from ..kinds import Block
from ..located import Row, Table, Text
from ..options import Component, Spec, options_of
from ..paths import ModuleName, Rooted, Roots
from ..registry import lookup

__all__ = ["Note", "Rewriter", "plain"]


@dataclass(frozen=True)
class Note:
    """What is not carried over, or needs a look: where it stands, its path there, and why.

    `lost` is what the written file does not have.
    """

    where: Position
    path: str
    text: str
    lost: Any = None

    def __str__(self) -> str:
        return f"{self.where}: {self.path}: {self.text}" if self.path else f"{self.where}: {self.text}"


@dataclass(frozen=True)
class Rewriter:
    """Makes plain values of what was read; paths lead from `folder` to where they led under `roots`.

    Args:
        roots: folders that options named.
        tree: folder of the config; what lies below it is named relative to the new file.
        folder: of the new file.
        notes: what turned up.
    """

    roots: Roots
    tree: Path
    folder: Path
    notes: list[Note] = field(default_factory=list)

    def mapping(self, cls: type[Any], table: Table, path: str) -> dict[str, Any]:
        """Return `table`, of which `cls` is constructed; keys that are none of its options stay as they are."""
        options = options_of(cls)
        return {
            str(key): self.value(options[key].annotation, value, f"{path}.{key}") if key in options else plain(value)
            for key, value in table.items()
        }

    def block(self, kind: type[Block], raw: Any, path: str) -> Any:
        """Return the entry of a block."""
        name = raw.get(kind.selector) if isinstance(raw, Table) else raw
        try:
            cls = lookup(kind.kind, str(name))
        except LookupError as error:
            has_options = isinstance(raw, Table) and len(raw) > 1
            kept = "kept as it is; look at the paths in it" if has_options else "kept as it is"
            where = getattr(name, "where", getattr(raw, "where", Position(self.tree, 1, 1)))
            self.notes.append(Note(where, path, f"{error.args[0]}; {kept}"))
            return plain(raw)
        return self.mapping(cls, raw, path) if isinstance(raw, Table) else plain(raw)

    def value(self, annotation: Any, raw: Any, path: str) -> Any:
        """Return the value of an option with `annotation`."""
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is Annotated:
            rooted = next((mark for mark in arguments[1:] if isinstance(mark, Rooted)), None)
            if rooted and isinstance(raw, str) and raw:
                return self._written(rooted.found(raw, self.roots))
            return self.value(arguments[0], raw, path)
        if origin in (Union, types.UnionType):
            return next((v for part in arguments if (v := self.value(part, raw, path)) != plain(raw)), plain(raw))
        if origin is tuple and arguments:
            if not isinstance(raw, Row):
                return self.value(arguments[0], raw, path)
            return [self.value(arguments[0], item, f"{path}[{index}]") for index, item in enumerate(raw)]
        if origin is Component:
            return self.block(typing.get_origin(arguments[0]) or arguments[0], raw, path)
        if annotation is ModuleName and isinstance(raw, str) and ModuleName.is_file(raw):
            return self._written(Rooted("models").found(raw, self.roots))
        if isinstance(annotation, type) and issubclass(annotation, Spec) and isinstance(raw, Table):
            return self.mapping(annotation, raw, path)
        return plain(raw)

    def _written(self, found: Path) -> str:
        """Return the path `found` as it is written into the new file."""
        absolute = Path(os.path.abspath(found))
        if absolute.is_relative_to(self.folder) or absolute.is_relative_to(self.tree):
            return Path(os.path.relpath(absolute, self.folder)).as_posix()
        return absolute.as_posix()


def plain(value: Any) -> Any:
    """Return what was read as builtin types."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Text) else value
