"""The text of a baseline file: entries keep the very text they were read from."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BaselineError, Position
from .baseline import Baseline, Key

__all__ = ["Document", "Entry", "parse", "render"]

_SCHEMA = 1
_NAMES = (["baselines", "schema"], ["anchors", "baselines", "schema"])
_CONFLICT = re.compile(r"^(<{7}|\|{7}|={7}|>{7})", re.MULTILINE)
_GAP = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A baseline with its text in the file."""

    baseline: Baseline
    text: str

    @classmethod
    def of(cls, baseline: Baseline) -> Entry:
        """Return the entry that is written for `baseline`: sorted keys, one metric a line.

        Raises:
            BaselineError: a number is not finite.
        """
        raw = baseline.to_json()
        try:
            fields = ",\n".join(f"{json.dumps(name)}: {_field(name, raw[name])}" for name in sorted(raw))
        except ValueError:
            raise BaselineError(
                f"{baseline.key.name}: a number that is not finite cannot be stored; check outputs and annotations"
            ) from None
        return cls(baseline, "{\n" + textwrap.indent(fields, " " * 6) + "\n    }")


@dataclass(frozen=True, slots=True)
class Document:
    """The entries of a baseline file by key: the last baselines, and the anchors that differ from them."""

    baselines: Mapping[Key, Entry] = field(default_factory=dict)
    anchors: Mapping[Key, Entry] = field(default_factory=dict)

    @property
    def entries(self) -> list[Entry]:
        """All of them."""
        return [*self.baselines.values(), *self.anchors.values()]


def render(document: Document) -> str:
    """Return the text of a file: both lists sorted by their keys, that of the anchors only where there are some."""
    lists = {"anchors": document.anchors, "baselines": document.baselines}
    texts = [_list(name, entries.values()) for name, entries in lists.items() if entries or name == "baselines"]
    return "{\n" + "".join(texts) + f'  "schema": {_SCHEMA}\n}}\n'


def _list(name: str, entries: Iterable[Entry]) -> str:
    ordered = sorted(entries, key=lambda entry: entry.baseline.key)
    texts = ",\n".join(f"    {entry.text}" for entry in ordered)
    return f'  "{name}": [\n{texts}\n  ],\n'


def parse(text: str, file: Path) -> Document:
    """Return the entries of the file.

    Raises:
        BaselineError: the text is no baseline file; says at which line and column.
    """
    has_anchors = _check_document(text, file)
    anchors = _entries(text, file, "anchors") if has_anchors else {}
    return Document(_entries(text, file, "baselines"), anchors)


def _entries(text: str, file: Path, name: str) -> dict[Key, Entry]:
    entries: dict[Key, Entry] = {}
    for raw, source, start in _spans(text, file, name):
        try:
            entry = Entry(Baseline.from_json(raw), source)
        except BaselineError as error:
            raise error.placed(_position(text, start, file), "entry") from None
        if entry.baseline.key in entries:
            key = entry.baseline.key
            raise BaselineError(f"a second entry of {key.name} on {key.place}; keep one", _position(text, start, file))
        entries[entry.baseline.key] = entry
    return entries


def _check_document(text: str, file: Path) -> bool:
    """Return whether the file has anchors.

    Raises:
        BaselineError: it is no baseline file.
    """
    try:
        document = json.loads(text, object_pairs_hook=tuple)
    except json.JSONDecodeError as error:
        if conflict := _CONFLICT.search(text):
            where = _position(text, conflict.start(), file)
            raise BaselineError("merge conflict; resolve it, then run pytest --launcher-update", where) from None
        where = Position(file, error.lineno, error.colno)
        raise BaselineError(f"no valid JSON: {error.msg}; restore the file from version control", where) from None
    names = sorted(name for name, _ in document) if isinstance(document, tuple) else []
    # Another schema may have other names.
    if "schema" in names and (schema := dict(document)["schema"]) != _SCHEMA:
        where = _position(text, text.rindex('"schema"'), file)
        raise BaselineError(f"schema {schema!r} found, {_SCHEMA} expected; update pytest-torchlauncher", where)
    lists = [dict(document)[name] for name in names if name != "schema"]
    if names not in _NAMES or not all(isinstance(entries, list) for entries in lists):
        message = 'no baseline file; {"schema": 1, "baselines": […]} expected; restore it from version control'
        raise BaselineError(message, Position(file, 1, 1))
    return "anchors" in names


def _spans(text: str, file: Path, name: str) -> Iterator[tuple[Any, str, int]]:
    """Yield each element of the list `name` in the checked `text`: its value, its text and where that starts."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    opening = re.search(rf'"{name}"\s*:\s*\[', text)
    start = _GAP.match(text, opening.end()).end()  # type: ignore[union-attr]
    while text[start] != "]":
        try:
            raw, end = decoder.raw_decode(text, start)
        except BaselineError as error:
            raise error.placed(_position(text, start, file), "entry") from None
        yield raw, text[start:end], start
        start = _GAP.match(text, end).end()  # type: ignore[union-attr]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the mapping; a line that a merge kept from both sides would else win in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise BaselineError(f"key {twice!r} occurs twice in one mapping; keep one")
    return found


def _field(name: str, value: Any) -> str:
    if name == "metrics" and isinstance(value, Mapping):
        lines = (f"  {json.dumps(key, ensure_ascii=False)}: {_line(value[key])}" for key in sorted(value))
        return "{\n" + ",\n".join(lines) + "\n}"
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _position(text: str, offset: int, file: Path) -> Position:
    return Position(file, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
