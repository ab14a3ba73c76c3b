"""What a launcher file names by a dotted path."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import OutputError, did_you_mean

__all__ = ["check_dotted", "resolve"]


def check_dotted(path: str, option: str) -> None:
    """Check that `path`, the value of `option`, may name a part of a module.

    Raises:
        ValueError: it is no dotted path.
    """
    names = path.split(".")
    if len(names) < 2 or not all(map(str.isidentifier, names)):
        raise ValueError(f"{option}: {path!r} found, a dotted path such as package.module.name expected")


def resolve(path: str, option: str, advice: str) -> Any:
    """Return what is at the dotted `path`, the value of `option`.

    Raises:
        OutputError: it cannot be imported, which `advice` may help; or there is no such part.
    """
    top, *names = path.split(".")
    try:
        found, reached = importlib.import_module(top), top
        for name in names:
            found, reached = _part(found, reached, name), f"{reached}.{name}"
    except ImportError as error:
        raise OutputError(f"{option}: {path} cannot be imported: {error}; {advice}") from error
    except _NoPartError as error:
        raise OutputError(f"{option}: {error}") from None
    return found


class _NoPartError(Exception):
    """A part of a dotted path is not there."""


def _part(owner: Any, path: str, name: str) -> Any:
    """Return the attribute or submodule `name` of `owner`, which lies at `path`."""
    if not hasattr(owner, name) and hasattr(owner, "__path__"):
        try:
            importlib.import_module(f"{path}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{path}.{name}":
                raise
    if not hasattr(owner, name):
        raise _NoPartError(f"{path} has no part {name!r}{did_you_mean(name, dir(owner))}")
    return getattr(owner, name)
