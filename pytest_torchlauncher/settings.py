"""Options, ini values and environment variables as the runner's settings."""

from __future__ import annotations

import pytest

from . import given_options
from .collection import runner_key
from .config.devices import devices_of
from .config.loader import Settings
from .config.reading import compat_of
from .paths import Roots
from .plan import Gate
from .runner import Runner

__all__ = ["ensure_runner"]


def ensure_runner(config: pytest.Config) -> None:
    """Put the runner that the options describe on `config`, once.

    Raises:
        pytest.UsageError: an option or ini value that cannot be used.
    """
    if runner_key not in config.stash:
        config.stash[runner_key] = _runner(config)


def _runner(config: pytest.Config) -> Runner:
    roots = Roots(*(given_options.path(config, name) for name in given_options.FOLDERS))
    device, default_device = given_options.read(config, "launcher_device", devices_of)
    compat, default_compat = given_options.read(config, "launcher_compat", compat_of)
    given = {"device": device, "compat": compat}
    record, update = config.getoption("launcher_record"), config.getoption("launcher_update")
    return Runner(
        Settings(
            roots,
            given_options.path(config, "launcher_definitions"),
            _gate(config),
            overrides={key: value for key, value in given.items() if value},
            devices=default_device or ("cpu",),
            compat=default_compat or "none",
        ),
        mode="record" if record else "update" if update else "check",
        reason=config.getoption("launcher_reason"),
        require_data=given_options.flag(config, "launcher_require_data"),
        require_device=given_options.flag(config, "launcher_require_device"),
    )


def _gate(config: pytest.Config) -> Gate:
    margin = config.getini("launcher_margin")
    try:
        return Gate(margin or None)
    except ValueError as error:
        raise pytest.UsageError(f"ini launcher_{error}") from None
