"""What a run leaves in the history and takes from it, in pytest's cache directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .. import given_options
from ..record import Record

if TYPE_CHECKING:
    from ..history.run import Point

__all__ = ["append_to_history", "trends_of"]


def append_to_history(config: pytest.Config, records: Sequence[Record], started: datetime) -> list[str]:
    """Append what was measured since `started`, if anything was and there is a cache directory.

    Returns:
        The reason, where it was not written.
    """
    if not hasattr(config, "cache") or not any(record.metrics for record in records):
        return []
    try:
        from ..history.commit import commit_of
        from ..history.run import Run
        from ..history.store import History, HistoryError
    except ImportError as error:
        return [f"the history was not written: {error}"]
    is_subset = given_options.is_limited(config)
    run = Run.of(records, started, commit_of(config.rootpath), is_subset=is_subset)
    try:
        if run.values:
            History(_path(config)).append(run)
    except (HistoryError, OSError) as error:
        return [f"the history was not written: {error}"]
    return []


def trends_of(config: pytest.Config) -> Mapping[tuple[str, str], Sequence[Point]]:
    """Return what metrics were in earlier runs and are in this one; nothing where there is no history to be read."""
    if not hasattr(config, "cache"):
        return {}
    try:
        from ..history.store import History, HistoryError
    except ImportError:
        return {}
    try:
        return History(_path(config)).trends()
    except (HistoryError, OSError):
        return {}


def _path(config: pytest.Config) -> Path:
    from ..history.store import FILE, FOLDER

    return config.cache.mkdir(FOLDER) / FILE
