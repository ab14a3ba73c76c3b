"""Options, ini values and environment variables as the runner's settings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from . import given_options
from .collection import runner_key
from .config.devices import devices_of
from .config.loader import Settings
from .config.reading import compat_of
from .gate import Gate
from .options import construct
from .paths import Context, Roots
from .plan import Amount
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
    limit, default_limit = given_options.read(config, "launcher_limit", _amount)
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
        moves_anchor=config.getoption("launcher_anchor"),
        require_data=given_options.flag(config, "launcher_require_data"),
        require_device=given_options.flag(config, "launcher_require_device"),
        limit=limit or default_limit,
        selfcheck=given_options.flag(config, "launcher_selfcheck"),
        draws=given_options.path(config, "launcher_html") is not None,
        reruns=_reruns(config.getoption("launcher_calibrate")),
    )


def _gate(config: pytest.Config) -> Gate:
    names = ("margin", "test", "alpha")
    given = {name: value for name in names if (value := config.getini(f"launcher_{name}"))}
    try:
        gate: Gate = construct(Gate, given, Context())
    except ValidationError as error:
        problem = error.errors()[0]
        name, message = ".".join(map(str, problem["loc"])), problem["msg"]
        raise pytest.UsageError(f"ini launcher_{name}: {message}" if name else f"ini launcher_{message}") from None
    except ValueError as error:
        raise pytest.UsageError(f"ini launcher_{error}") from None
    return gate


def _reruns(given: str | None) -> int:
    if given is None:
        return 0
    if not given.isdecimal() or int(given) < 1:
        raise pytest.UsageError(f"--launcher-calibrate: {given!r} found, a whole number of at least 1 expected")
    return int(given)


def _amount(text: str) -> Amount:
    try:
        return Amount.read(text)
    except PydanticCustomError as error:
        raise ValueError(error.message()) from None
