"""Candidates: what a failing run measured, as baseline files ready to be copied over the project's."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from .. import given_options
from ..errors import BaselineError, display_path
from ..record import Record, StoredEntry
from .writing import by_file, told_apart, write_entries

__all__ = ["leave_candidates"]

_FOLDER = "torchlauncher-candidates"


def leave_candidates(config: pytest.Config, records: Sequence[Record]) -> list[str]:
    """Leave a copy of each baseline file with what its failing evaluations measured, in the cache directory.

    Files of earlier runs stay, but those of the baseline files that this run measured against are replaced or removed.

    Returns:
        What the summary says about it.
    """
    measured = [record for record in records if record.baselines and record.status != "skipped"]
    failing = by_file((record for record in measured if record.failed), lambda record: record.candidate)
    cache = getattr(config, "cache", None)
    # A part of a dataset says nothing about what the whole left.
    if cache is None or not measured or given_options.is_limited(config):
        return []
    try:
        folder = cache.mkdir(_FOLDER)
        for baselines in {record.baselines for record in measured}:
            _remove(_mirrored(folder, Path(baselines), config.rootpath))
        for path, asking in failing.items():
            _leave(path, _mirrored(folder, path, config.rootpath), [r.candidate for r in asking if r.candidate])
    except (BaselineError, OSError) as error:
        return [f"candidate baselines were not written: {error}"] if failing else []
    accept = "accept them with pytest --launcher-update, or copy them over the project"
    return [f"candidate baselines lie in {display_path(folder)}: {accept}"] if failing else []


def _mirrored(folder: Path, path: Path, root: Path) -> Path:
    """Return where in `folder` the copy of the baseline file `path` lies: where it does in the project, else apart."""
    place, root = path.parent.resolve(), root.resolve()
    if place.is_relative_to(root):
        return folder / place.relative_to(root) / path.name
    return folder / hashlib.sha256(str(place).encode()).hexdigest()[:16] / place.name / path.name


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    if path.with_suffix("").is_dir():
        shutil.rmtree(path.with_suffix(""))


def _leave(standing: Path, copy: Path, candidates: Sequence[StoredEntry]) -> None:
    """Write `candidates` into a `copy` of the baseline file that stands."""
    fit, _ = told_apart(candidates)
    copy.parent.mkdir(parents=True, exist_ok=True)
    if standing.is_file():
        shutil.copyfile(standing, copy)
    copy.with_suffix("").mkdir(exist_ok=True)
    for outcomes in standing.with_suffix("").glob("*.npz"):
        # Not what may be done with them: the project's may be read-only.
        shutil.copyfile(outcomes, copy.with_suffix("") / outcomes.name)
    write_entries(copy, fit)
