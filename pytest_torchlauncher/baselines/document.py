"""The text of a baseline file: entries keep the very text they were read from."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BaselineError, Position
from .baseline import Baseline, Key

__all__ = ["Entry", "parse", "render"]

_SCHEMA = 1
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
            raise BaselineError(f"{baseline.key.name}: a number that is not finite cannot be stored") from None
        return cls(baseline, "{\n" + textwrap.indent(fields, " " * 6) + "\n    }")


def render(entries: Iterable[Entry]) -> str:
    """Return the text of a file with `entries`, sorted by their keys."""
    ordered = sorted(entries, key=lambda entry: entry.baseline.key)
    texts = ",\n".join(f"    {entry.text}" for entry in ordered)
    return f'{{\n  "baselines": [\n{texts}\n  ],\n  "schema": {_SCHEMA}\n}}\n'


def parse(text: str, file: Path) -> dict[Key, Entry]:
    """Return the entries of the file by key.

    Raises:
        BaselineError: the text is no baseline file; says at which line and column.
    """
    _check_document(text, file)
    entries: dict[Key, Entry] = {}
    for raw, source, start in _spans(text, file):
        try:
            entry = Entry(Baseline.from_json(raw), source)
        except BaselineError as error:
            raise error.placed(_position(text, start, file), "entry") from None
        if entry.baseline.key in entries:
            key = entry.baseline.key
            raise BaselineError(f"a second entry of {key.name} on {key.place}; keep one", _position(text, start, file))
        entries[entry.baseline.key] = entry
    return entries


def _check_document(text: str, file: Path) -> None:
    try:
        document = json.loads(text, object_pairs_hook=tuple)
    except json.JSONDecodeError as error:
        if conflict := _CONFLICT.search(text):
            where = _position(text, conflict.start(), file)
            raise BaselineError("merge conflict; resolve it, then run pytest --launcher-update", where) from None
        where = Position(file, error.lineno, error.colno)
        raise BaselineError(f"no valid JSON: {error.msg}; restore the file from version control", where) from None
    names = sorted(name for name, _ in document) if isinstance(document, tuple) else []
    if names != ["baselines", "schema"] or not isinstance(dict(document)["baselines"], list):
        message = 'no baseline file; {"schema": 1, "baselines": […]} expected; restore it from version control'
        raise BaselineError(message, Position(file, 1, 1))
    if (schema := dict(document)["schema"]) != _SCHEMA:
        where = _position(text, text.rindex('"schema"'), file)
        raise BaselineError(f"schema {schema!r} found, {_SCHEMA} expected; update pytest-torchlauncher", where)


def _spans(text: str, file: Path) -> Iterator[tuple[Any, str, int]]:
    """Yield each element of ``baselines`` in the checked `text`: its value, its text and where that starts."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    opening = re.search(r'"baselines"\s*:\s*\[', text)
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
