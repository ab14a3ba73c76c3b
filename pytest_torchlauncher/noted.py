"""What was read before the first item ran, by ``conftest.py`` files and what they import."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from .reads import Reads, recording

__all__ = ["Beginning", "begin", "beginning", "end"]


@dataclass(frozen=True)
class Beginning:
    """When the session began, seconds since the epoch, and what was read until its items were collected."""

    since: float
    reads: Reads
    stack: ExitStack


_key = pytest.StashKey[Beginning]()
_FOR_WORKERS = "TORCHLAUNCHER_CACHE"
"""The environment variable by which workers know at their start of an option that they are told later."""


def begin(config: pytest.Config) -> None:
    """Note from now on what is read, if a cache of results is asked for."""
    asked = config.known_args_namespace.launcher_cache or config.getini("launcher_cache")
    if not asked and _FOR_WORKERS not in os.environ:
        return
    if _FOR_WORKERS not in os.environ:
        os.environ[_FOR_WORKERS] = "1"
        config.add_cleanup(_forget)
    since, stack = time.time(), ExitStack()
    config.stash[_key] = Beginning(since, stack.enter_context(recording()), stack)
    config.add_cleanup(stack.close)


def _forget() -> None:
    os.environ.pop(_FOR_WORKERS, None)


def end(config: pytest.Config) -> None:
    """Note no more."""
    if _key in config.stash:
        config.stash[_key].stack.close()


def beginning(config: pytest.Config) -> Beginning | None:
    """Return what was noted; None where nothing was."""
    return config.stash.get(_key, None)
