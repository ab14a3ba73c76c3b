"""``global_definitions``: launchers and datasets defined once for many files.

A launcher takes its definition by ``framework``, a dataset by ``name``, and the preprocessing, postprocessing and
metrics inside defined datasets theirs by ``type``. The merge is shallow, key by key: a local list replaces the whole
defined one. The first definition of a name counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError, Position, Problem
from ..located import Row, Table
from .document import read_document

__all__ = ["Definitions"]


_LISTS = ("launchers", "datasets", "preprocessing", "postprocessing", "metrics")


@dataclass(frozen=True)
class Definitions:
    """The tables of a definitions file; empty without one."""

    table: Table | None = None

    @classmethod
    def read(cls, path: Path | None) -> Definitions:
        """Return the definitions in `path`.

        Raises:
            ConfigError: `path` cannot be read, has keys twice, or is no mapping of lists.
        """
        if path is None:
            return cls()
        document, problems = read_document(path)
        if not isinstance(document, Table):
            raise ConfigError([Problem(Position(path, 1, 1), "", "a mapping of launchers and datasets expected")])
        lists = [
            Problem(document.values_at[key], key, "a list expected")
            for key in _LISTS
            if key in document and not isinstance(document[key], Row | None)
        ]
        if problems or lists:
            raise ConfigError([*problems, *lists])
        return cls(document)

    def launcher(self, entry: Table) -> Table:
        """Return the launcher `entry` over its definition."""
        return _over(entry, self._entries("launchers"), "framework")

    def dataset(self, entry: Table) -> Table:
        """Return the dataset `entry` over its definition, whose own steps are merged first."""
        found = _find(entry, self._entries("datasets"), "name")
        if found is None:
            return entry
        steps = {key: self._steps(found, key) for key in ("preprocessing", "postprocessing", "metrics") if key in found}
        return entry.over(Table({**found, **steps}, found.where, found.keys_at, found.values_at))

    def _steps(self, dataset: Table, key: str) -> Any:
        row = dataset[key]
        if not isinstance(row, Row):
            return row
        merged = [_over(step, self._entries(key), "type") if isinstance(step, Table) else step for step in row]
        return Row(merged, row.where, row.places)

    def _entries(self, key: str) -> list[Table]:
        entries = self.table.get(key) if self.table else None
        return [entry for entry in entries if isinstance(entry, Table)] if isinstance(entries, Row) else []


def _over(entry: Table, definitions: Iterable[Table], key: str) -> Table:
    found = _find(entry, definitions, key)
    return entry if found is None else entry.over(found)


def _find(entry: Table, definitions: Iterable[Table], key: str) -> Table | None:
    name = entry.get(key)
    return next((d for d in definitions if name is not None and d.get(key) == name), None)
