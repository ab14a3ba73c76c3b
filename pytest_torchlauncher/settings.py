"""Options, ini values and environment variables as the runner's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .collection import runner_key
from .config.loader import Settings
from .options import Roots
from .plan import Gate
from .runner import Runner

__all__ = ["ensure_runner"]

_ENVIRONMENT = {
    "launcher_data_dir": "DATA_DIR",
    "launcher_models_dir": "MODELS_DIR",
    "launcher_annotations_dir": "ANNOTATIONS_DIR",
    "launcher_definitions": "DEFINITIONS_FILE",
}


def ensure_runner(config: pytest.Config) -> None:
    """Put the runner that the options describe on `config`, once.

    Raises:
        pytest.UsageError: an option or ini value that cannot be used.
    """
    if runner_key not in config.stash:
        config.stash[runner_key] = _runner(config)


def _runner(config: pytest.Config) -> Runner:
    roots = Roots(*(_folder(config, f"launcher_{name}_dir") for name in ("data", "models", "annotations")))
    record, update = config.getoption("launcher_record"), config.getoption("launcher_update")
    return Runner(
        Settings(roots, _path(config, "launcher_definitions"), _gate(config)),
        mode="record" if record else "update" if update else "check",
        reason=config.getoption("launcher_reason"),
        require_data=_flag(config, "launcher_require_data"),
        require_device=_flag(config, "launcher_require_device"),
    )


def _gate(config: pytest.Config) -> Gate:
    margin = config.getini("launcher_margin")
    try:
        return Gate(margin or None)
    except ValueError as error:
        raise pytest.UsageError(f"ini launcher_{error}") from None


def _flag(config: pytest.Config, name: str) -> bool:
    given = config.getoption(name)
    return bool(config.getini(name) if given is None else given)


def _folder(config: pytest.Config, name: str) -> Path | None:
    path = _path(config, name)
    if path is not None and not path.is_dir():
        raise pytest.UsageError(f"--{name.replace('_', '-')}: {path} is no folder; correct the path")
    return path


def _path(config: pytest.Config, name: str) -> Path | None:
    """Return the option, else the ini value, else the environment variable; None without any."""
    if given := config.getoption(name):
        return config.invocation_params.dir / str(given)
    if ini := config.getini(name):
        return (config.inipath.parent if config.inipath else config.rootpath) / str(ini)
    variable = os.environ.get(_ENVIRONMENT.get(name, ""))
    return config.invocation_params.dir / variable if variable else None
