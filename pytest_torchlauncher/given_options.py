"""Options as they were given: on the command line, else in the ini file, else in the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

__all__ = ["FOLDERS", "flag", "path", "spelled"]

FOLDERS = ("launcher_data_dir", "launcher_models_dir", "launcher_annotations_dir")

_ENVIRONMENT = {
    "launcher_data_dir": "DATA_DIR",
    "launcher_models_dir": "MODELS_DIR",
    "launcher_annotations_dir": "ANNOTATIONS_DIR",
    "launcher_definitions": "DEFINITIONS_FILE",
}


def spelled(name: str) -> str:
    """Return the option of the ini key `name` as it is typed."""
    return "--" + name.replace("_", "-")


def flag(config: pytest.Config, name: str) -> bool:
    """Return the option, else the ini value."""
    given = config.getoption(name)
    return bool(config.getini(name) if given is None else given)


def path(config: pytest.Config, name: str) -> Path | None:
    """Return the path that was given, None without one.

    On the command line and in the environment it is relative to the working directory, in the ini file to that file.

    Raises:
        pytest.UsageError: a folder that is not there.
    """
    found = _path(config, name)
    if name in FOLDERS and found is not None and not found.is_dir():
        raise pytest.UsageError(f"{spelled(name)}: {found} is no folder; correct the path")
    return found


def _path(config: pytest.Config, name: str) -> Path | None:
    if given := config.getoption(name):
        return config.invocation_params.dir / str(given)
    if ini := config.getini(name):
        return (config.inipath.parent if config.inipath else config.rootpath) / str(ini)
    variable = os.environ.get(_ENVIRONMENT.get(name, ""))
    return config.invocation_params.dir / variable if variable else None
