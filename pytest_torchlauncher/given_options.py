"""Options as they were given: on the command line, else in the ini file, else in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

__all__ = ["ENVIRONMENT", "FOLDERS", "check_workflow", "flag", "is_limited", "path", "read", "spelled"]

T = TypeVar("T")

FOLDERS = ("launcher_data_dir", "launcher_models_dir", "launcher_annotations_dir")

ENVIRONMENT = {
    "launcher_data_dir": "DATA_DIR",
    "launcher_models_dir": "MODELS_DIR",
    "launcher_annotations_dir": "ANNOTATIONS_DIR",
    "launcher_definitions": "DEFINITIONS_FILE",
}


_WRITING = ("record", "update", "prune", "review", "calibrate", "reason", "anchor")
_EXCLUSIVE = (("record", "update"), ("review", "record"), ("review", "update"))


def spelled(name: str) -> str:
    """Return the option of the ini key `name` as it is typed."""
    return "--" + name.replace("_", "-")


def check_workflow(config: pytest.Config) -> None:
    """Check that the options which write baselines go together.

    Raises:
        pytest.UsageError: they do not.
    """
    given = {name for name in _WRITING if config.getoption(f"launcher_{name}")}
    for name, other in _EXCLUSIVE:
        if {name, other} <= given:
            raise pytest.UsageError(f"--launcher-{name} and --launcher-{other} exclude each other; give one")
    for name in ("reason", "anchor"):
        if name in given and "update" not in given:
            raise pytest.UsageError(f"--launcher-{name} belongs to --launcher-update; give both")
    reason = config.getoption("launcher_reason")
    if reason is not None and not reason.strip():
        raise pytest.UsageError(f"--launcher-reason: {reason!r} found, a text that says why expected")
    option, ini = config.getoption("launcher_limit"), config.getini("launcher_limit")
    if given and (option or ini):
        first = min(given, key=_WRITING.index)
        remedy = "leave out --launcher-limit" if option else "add -o launcher_limit= for the ini value"
        raise pytest.UsageError(f"--launcher-{first} needs the whole dataset; {remedy}")


def is_limited(config: pytest.Config) -> bool:
    """Return whether a part of each dataset is measured."""
    return bool(config.getoption("launcher_limit") or config.getini("launcher_limit"))


def flag(config: pytest.Config, name: str) -> bool:
    """Return the option, else the ini value.

    Raises:
        pytest.UsageError: the ini value is neither true nor false.
    """
    given = config.getoption(name)
    try:
        return bool(config.getini(name) if given is None else given)
    except (ValueError, pytest.UsageError) as error:
        raise pytest.UsageError(f"ini {name}: {error}; true or false expected") from None


def read(config: pytest.Config, name: str, parse: Callable[[str], T]) -> tuple[T | None, T | None]:
    """Return what `parse` makes of the option and of the ini value, each None where it was not given.

    Raises:
        pytest.UsageError: `parse` raised a ValueError; names where the value was given.
    """
    option, ini = config.getoption(name), config.getini(name)
    return _parsed(spelled(name), option, parse), _parsed(f"ini {name}", ini, parse)


def path(config: pytest.Config, name: str, *, environment: bool = True) -> Path | None:
    """Return the path that was given, None without one.

    On the command line and in the environment it is relative to the working directory, in the ini file to that file.

    Args:
        config: pytest's.
        name: the ini key.
        environment: whether a variable counts; those of other tools must not stop a run without launcher files.

    Raises:
        pytest.UsageError: a folder that is not there; names where it was given.
    """
    variable = ENVIRONMENT.get(name, "")
    sources = [
        (spelled(name), config.invocation_params.dir, config.getoption(name)),
        (f"ini {name}", config.inipath.parent if config.inipath else config.rootpath, config.getini(name)),
        (f"environment variable {variable}", config.invocation_params.dir, environment and os.environ.get(variable)),
    ]
    for source, base, value in sources:
        if value:
            return _checked(source, base / str(value), folder=name in FOLDERS)
    return None


def _parsed(source: str, value: str | None, parse: Callable[[str], T]) -> T | None:
    try:
        return parse(value) if value else None
    except ValueError as error:
        raise pytest.UsageError(f"{source}: {error}") from None


def _checked(source: str, found: Path, *, folder: bool) -> Path:
    if folder and not found.is_dir():
        raise pytest.UsageError(f"{source}: {found} is no folder; correct the path")
    return found
