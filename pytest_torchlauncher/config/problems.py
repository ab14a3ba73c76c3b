"""Gathers everything wrong in a launcher file, so that one run tells it all."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from ..errors import ConfigError, LauncherFileWarning, Position, Problem
from ..located import Table, locate

__all__ = ["Problems"]

T = TypeVar("T")


class Problems:
    """The problems found so far; `raise_any` ends the reading of a file that has some."""

    def __init__(self, known: Iterable[Problem] = ()) -> None:
        self._problems = list(known)

    def add(self, where: Position, path: str, message: str) -> None:
        """Note one problem at `where`, the place of `path`."""
        self._problems.append(Problem(where, path, message))

    def warn(self, where: Position, path: str, message: str) -> None:
        """Warn of what does not keep the file from running; it is a problem where the project makes warnings errors."""
        try:
            warnings.warn_explicit(f"{path} {message}", LauncherFileWarning, str(where.file), where.line)
        except LauncherFileWarning:
            self.add(where, path, message)

    def raise_any(self) -> None:
        """End here if there are problems.

        Raises:
            ConfigError: with all of them.
        """
        if self._problems:
            raise ConfigError(dict.fromkeys(self._problems))

    def attempt(self, build: Callable[[], T], table: Table, path: str) -> T | None:
        """Return what `build` makes of `table`, which stands at `path`; None, with the problems noted, if it fails."""
        try:
            return build()
        except ValidationError as error:
            self._note(error, table, path)
        except PydanticCustomError as error:
            self.add(table.where, path, error.message())
        except ValueError as error:
            loc, message = _of_key((), str(error), table)
            self.add(locate(table, loc, table.where), path + _dotted(loc), message)
        return None

    def _note(self, error: ValidationError, table: Table, path: str) -> None:
        messages: dict[tuple[Position, str], list[str]] = {}
        for detail in error.errors(include_url=False):
            missing, unknown = detail["type"] == "missing", detail["type"] == "extra_forbidden"
            loc = detail["loc"] if missing else _present(detail["loc"], table)
            loc, message = (loc, detail["msg"]) if missing else _of_key(loc, detail["msg"], table)
            where = locate(table, loc[:-1] if missing else loc, table.where, key=unknown)
            messages.setdefault((where, path + _dotted(loc)), []).append(message)
        for (where, full_path), texts in messages.items():
            self.add(where, full_path.removeprefix("."), _joined(texts))


def _present(loc: tuple[int | str, ...], document: Any) -> tuple[int | str, ...]:
    """Return the part of `loc` that stands in `document`: pydantic appends the name of a union's member."""
    for depth, step in enumerate(loc):
        try:
            document = document[step]
        except (LookupError, TypeError):
            return loc[:depth]
    return loc


def _of_key(loc: tuple[int | str, ...], message: str, document: Any) -> tuple[tuple[int | str, ...], str]:
    """Return place and text of `message`: of a mapping at `loc`, at the key that the message begins with, if any."""
    for step in loc:
        document = document[step]
    key, colon, text = message.partition(": ")
    return ((*loc, key), text) if colon and isinstance(document, Table) and key in document else (loc, message)


def _dotted(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)


def _joined(texts: list[str]) -> str:
    """Return one sentence for the messages of a value: those of a union share what was found."""
    found, _, _ = texts[0].partition(" found, ")
    wanted = [text.removeprefix(f"{found} found, ").removesuffix(" expected") for text in texts]
    if len(texts) > 1 and all(text.endswith(" expected") for text in texts):
        return f"{found} found, {' or '.join(dict.fromkeys(wanted))} expected"
    return "; ".join(dict.fromkeys(texts))
