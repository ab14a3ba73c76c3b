"""Every error a user can meet, each one sentence that says where, what, what was expected and what to do.

::

    LauncherError
    ├── ConfigError            all problems of one launcher file
    ├── MissingDataError       data that is not on this machine: the item is skipped
    ├── MissingDeviceError     a device this machine lacks: the item is skipped
    ├── MissingExtraError      an optional package is not installed: names the extra
    ├── DataError              annotations, images or preprocessing
    ├── ModelError             module, checkpoint or forward pass
    ├── OutputError            raw outputs that the adapter or metric cannot use
    │   └── NonFiniteError     NaN or infinity among the outputs
    └── BaselineError          a stored baseline that cannot be read
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = [
    "BaselineError",
    "ConfigError",
    "DataError",
    "LauncherError",
    "LauncherFileWarning",
    "MissingDataError",
    "MissingDeviceError",
    "MissingExtraError",
    "ModelError",
    "NonFiniteError",
    "OutputError",
    "Position",
    "Problem",
    "did_you_mean",
    "display_path",
    "told",
]


def display_path(path: Path) -> str:
    """Return `path` relative to the working directory where it lies below it, else absolute."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest of `known`, or an empty string."""
    nearest = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; `line` and `column` count from 1."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{display_path(self.file)}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a launcher file: `path` is dotted (``launchers[0].batch``), empty for the whole file."""

    where: Position
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.path}: {self.message}" if self.path else f"{self.where}: {self.message}"


class LauncherError(Exception):
    """Base of all errors of this package; `where` is the place in the launcher file that it is about."""

    def __init__(self, message: str, where: Position | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.where = where

    def placed(self, where: Position, subject: str) -> Self:
        """Return this error about `subject` at `where`, unless it knows its place already."""
        if self.where is None:
            self.message, self.where = f"{subject}: {self.message}", where
            self.args = (f"{where}: {self.message}",)
        return self


@contextmanager
def told(subject: str, where: Position, error: type[LauncherError]) -> Iterator[None]:
    """Tell what goes wrong inside the block as an `error` about `subject` at `where`.

    An error of this package gains its place; any other exception, of a project's own block, becomes its cause.

    Raises:
        LauncherError: whatever went wrong.
    """
    try:
        yield
    except LauncherError as known:
        raise known.placed(where, subject) from known.__cause__
    except Exception as foreign:
        raise error(f"{subject}: raised {type(foreign).__name__}: {foreign}", where) from foreign


class ConfigError(LauncherError):
    """All problems of one launcher file, in the order of their places."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (str(p.where.file), p.where.line, p.where.column)))
        super().__init__("\n".join(map(str, self.problems)))


class MissingDataError(LauncherError):
    """Data named by the launcher file is not on this machine."""


class MissingDeviceError(LauncherError):
    """The device named by the launcher file is not on this machine."""


class MissingExtraError(LauncherError):
    """A feature needs an optional package that is not installed."""


class DataError(LauncherError):
    """Annotations, images or preprocessing that cannot be used."""


class ModelError(LauncherError):
    """The module cannot be imported, built, loaded or run; ``__cause__`` holds the user's own exception, if any."""


class OutputError(LauncherError):
    """The module's outputs are not what the adapter or metric needs."""


class NonFiniteError(OutputError):
    """The module returned NaN or infinity, first for the sample `identifier`."""

    def __init__(self, kind: str, output: str, identifier: str, where: Position | None = None) -> None:
        super().__init__(f"output {output!r} has {kind} from {identifier} on", where)
        self.kind = kind
        self.identifier = identifier


class BaselineError(LauncherError):
    """A stored baseline cannot be read or does not belong together."""


class LauncherFileWarning(UserWarning):
    """Something in a launcher file has no effect."""
