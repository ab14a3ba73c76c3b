"""What the readers of a launcher file's parts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ..errors import Position, did_you_mean
from ..gate import Gate
from ..located import Row, Table, Text
from ..options import construct
from ..paths import Context, Roots
from ..refusal import found
from .known_keys import LATER_KEYS, NO_EFFECT_KEYS
from .problems import Problems

__all__ = ["COMPATS", "Reading", "Settings", "compat_of", "join"]

T = TypeVar("T")

COMPATS = ("accuracy_checker", "none")


@dataclass(frozen=True)
class Settings:
    """What options, ini and environment variables say about all launcher files.

    Args:
        roots: folders of relative paths.
        definitions: file to use instead of the files' ``global_definitions``.
        gate: of metrics that set none.
        overrides: launcher keys that replace those of the files.
        devices: of launchers that name none.
        compat: of files that name none.
    """

    roots: Roots = Roots()
    definitions: Path | None = None
    gate: Gate = Gate()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    devices: tuple[str, ...] = ("cpu",)
    compat: str = "none"


def join(path: str, key: str) -> str:
    """Return the path of `key` in the mapping at `path`."""
    return f"{path}.{key}" if path else key


def compat_of(raw: Any) -> str:
    """Return what `raw` asks for: ``accuracy_checker`` or ``none``.

    Raises:
        ValueError: it is neither.
    """
    if raw not in COMPATS:
        raise ValueError(f"{found(raw)} found, {' or '.join(COMPATS)} expected{did_you_mean(str(raw), COMPATS)}")
    return str(raw)


@dataclass(frozen=True)
class Reading:
    """The reading of one file: problems are noted, and what has some is left out.

    `compat` is what holds for the part that is read.
    """

    settings: Settings
    problems: Problems
    compat: str = "none"

    @classmethod
    def of_file(cls, settings: Settings, problems: Problems, where: Position) -> Reading:
        """Return the reading of a whole file, which begins at `where`."""
        try:
            return cls(settings, problems, compat_of(settings.overrides.get("compat", settings.compat)))
        except ValueError as error:
            problems.add(where, "compat", str(error))
            return cls(settings, problems)

    @property
    def context(self) -> Context:
        """What holds for all values of the part that is read."""
        return Context(self.settings.roots, None if self.compat == "none" else self.compat)

    def construct(self, cls: type[T], table: Table, path: str) -> T | None:
        """Return the object that `table` describes."""
        return self.problems.attempt(lambda: construct(cls, table, self.context), table, path)

    def gate(self, table: Table, path: str, base: Gate) -> Gate:
        """Return the gate that `table` lays over `base`."""
        if "gate" not in table:
            return base
        raw, where = table["gate"], table.values_at["gate"]
        if not isinstance(raw, Table):
            self.problems.add(where, join(path, "gate"), "a mapping expected: gate: {margin: 0.005}")
            return base
        gate = self.construct(Gate, raw, join(path, "gate"))
        return gate.over(base) if gate else base

    def within(self, table: Table, path: str) -> Reading:
        """Return the reading of what stands in `table`: with its ``compat``, where it has one that counts."""
        if "compat" not in table or "compat" in self.settings.overrides:
            return self
        try:
            return replace(self, compat=compat_of(table["compat"]))
        except ValueError as error:
            self.problems.add(table.values_at["compat"], join(path, "compat"), str(error))
            return self

    def flag(self, table: Table, key: str, path: str, *, base: bool) -> bool:
        """Return the truth value of `key` in `table`, `base` where it has none."""
        value = table.get(key, base)
        if not isinstance(value, bool):
            self.problems.add(table.values_at[key], join(path, key), f"{found(value)} found, true or false expected")
        return value is True

    def known(self, table: Table, kind: str, path: str) -> Table:
        """Return `table` without keys that have no effect, which warn, and those of later versions, which fail."""
        no_effect, later = NO_EFFECT_KEYS[kind], LATER_KEYS.get(kind, frozenset())
        for key in table:
            if key in later:
                message = "known to the Accuracy Checker, not supported here yet"
                self.problems.add(table.keys_at[key], join(path, key), message)
            elif key in no_effect:
                self.problems.warn(table.keys_at[key], join(path, key), "has no effect here")
        return table.without(*later, *no_effect)

    def tables(self, parent: Table, key: str, path: str, *, shorthand: bool = False) -> Iterator[tuple[Table, str]]:
        """Yield the mappings listed under `key`, which must be there; `shorthand` takes a name for its ``type``."""
        at = join(path, key)
        value = parent.get(key)
        if key not in parent:
            self.problems.add(parent.where, at, "missing, and required")
            return
        if isinstance(value, Table):  # the reference takes a mapping of datasets as well
            value = Row(list(value.values()), value.where, list(value.values_at.values()))
        if not isinstance(value, Row) or not value:
            self.problems.add(parent.values_at[key], at, "a list with at least one entry expected")
            return
        for index, item in enumerate(value):
            if shorthand and isinstance(item, Text):
                item = Table({"type": item}, item.where, {"type": item.where}, {"type": item.where})
            if isinstance(item, Table):
                yield item, f"{at}[{index}]"
            else:
                self.problems.add(value.places[index], f"{at}[{index}]", f"{item!r} found, a mapping expected")

    def check_keys(self, table: Table, known: tuple[str, ...], path: str) -> None:
        """Note the keys of `table` that are not `known`."""
        for key in table:
            if key not in known:
                message = f"unknown key{did_you_mean(str(key), known) or '; known are ' + ', '.join(known)}"
                if key == "evaluations":
                    message = "custom evaluators are known to the Accuracy Checker, not supported here yet"
                self.problems.add(table.keys_at[key], join(path, str(key)), message)
