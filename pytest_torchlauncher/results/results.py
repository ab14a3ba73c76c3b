"""The cache of results: what an evaluation gave, and all that it read."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..noted import Beginning
from ..reads import Reads
from ..record import Record
from ..target import Target
from ..whole_files import write_whole
from .conditions import (
    conftests,
    hardware,
    importable_names,
    is_of_environment,
    own_sources,
    reads_unseen,
    settings,
)

__all__ = ["Results"]

_UNSEEN = ("safetensors", "lmdb", "h5py", "tables", "zarr", "decord", "av", "netCDF4")
"""Packages that open files where Python does not see it."""
_ABSENT = "absent"
_COLLECTED = (".launcher.yml", ".launcher.yaml")


class Results:
    """Results in `folder`, a file each.

    A result holds where everything is as it was: the launcher file and what it means under the options of the run;
    every file that the evaluation read (weights, data, annotations, sources, the baseline) and every folder that it
    listed, by content; installed packages by version; hardware, device, threads. Where that is not known for sure,
    there is none.

    Args:
        folder: where results lie.
        options: of pytest.
        beginning: when the session began, and what was read until its items were collected.
        ignored: folders of which nothing counts.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any], beginning: Beginning, ignored: Iterable[Path]) -> None:
        self._folder = folder
        # Before anything is run: what is imported then may set environment variables.
        self._settings = settings(options)
        self._since = beginning.since
        # What is imported once, or kept by a block, is not read again for the next evaluation.
        self._before = {path for path in beginning.reads.files if not path.endswith(_COLLECTED)}
        self._ignored = tuple(f"{os.path.abspath(path)}{os.sep}" for path in (folder, *ignored))
        self._hashes: dict[tuple[str, int, int, int, int], str] = {}

    def find(self, target: Target) -> Record | None:
        """Return what `target` gave when nothing was different, marked as cached; None where it must be run."""
        text = self._text(target)
        if text is None:
            return None
        try:
            stored = json.loads(self._path(target).read_text("utf-8"))
            # What that run took says nothing about this one.
            same = stored["conditions"] == text and stored["content"] == self._content(stored)
            return (
                replace(Record.from_dict(stored["record"]), index=target.index, cached=True, seconds={})
                if same
                else None
            )
        except (OSError, ValueError, KeyError, TypeError):  # not there, or not written by this version
            return None

    def keep(self, target: Target, record: Record, reads: Reads, data: Collection[str]) -> None:
        """Keep `record` if it passed, what it depends on is known, and none of it changed since the session began.

        Args:
            target: what was run.
            record: what it gave.
            reads: what was read meanwhile.
            data: files of datasets, which no other evaluation depends on for having read them before.
        """
        text, before = self._text(target), set(self._before)
        checkpoint = str(target.evaluation.launcher.checkpoint)
        self._before |= {p for p in reads.files if p not in data and p != checkpoint and "__baselines__" not in p}
        if text is None or record.status != "pass" or reads.unclear:
            return
        files = self._counting({*map(_source, (*reads.files, *before)), *own_sources(), record.file})
        if _uses_unseen(target) or reads_unseen(files):
            return
        stored = {"files": files, "folders": self._counting(reads.folders)}
        if any(_changed(path) >= self._since for path in (*stored["files"], *stored["folders"])):
            return
        entry = {"conditions": text, "content": self._content(stored), **stored, "record": record.to_dict()}
        with suppress(OSError):
            write_whole(self._path(target), json.dumps(entry))

    def _path(self, target: Target) -> Path:
        return self._folder / f"{hashlib.sha256(target.id.encode(errors='surrogateescape')).hexdigest()}.json"

    def _text(self, target: Target) -> str | None:
        """Return everything that the result of `target` depends on and that is no file; None where it is not known."""
        evaluation = target.evaluation
        device, above = hardware(evaluation.launcher.device), conftests(evaluation.dataset.where.own.file)
        names = importable_names(evaluation.launcher.python_path)
        own = (target.id, target.baselines, target.baseline_model, evaluation)
        what = repr((own, device, above, names, self._settings))
        # A fixture is code that may give anything, as may an object that does not say what it is.
        if device is None or evaluation.dataset.fixture is not None or " at 0x" in what:
            return None
        return hashlib.sha256(what.encode(errors="surrogateescape")).hexdigest()

    def _counting(self, paths: Iterable[str]) -> list[str]:
        return sorted(p for p in paths if not is_of_environment(p) and not p.startswith(self._ignored))

    def _content(self, stored: Mapping[str, Any]) -> str:
        """Return a hash of what the files and folders in `stored` hold, and of which are not there."""
        hashes = [*map(self._hash, stored["files"]), *map(_listing, stored["folders"])]
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()

    def _hash(self, path: str) -> str:
        try:
            found = os.stat(path)
            # Models on the same data share its files.
            key = (path, found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
            if key not in self._hashes:
                with open(path, "rb") as file:
                    self._hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return _ABSENT
        return self._hashes[key]


def _listing(path: str) -> str:
    try:
        names = sorted(name for name in os.listdir(path) if name != "__pycache__")
    except OSError:
        return _ABSENT
    return hashlib.sha256("\n".join(names).encode(errors="surrogateescape")).hexdigest()


def _changed(path: str) -> float:
    """Return when `path` was changed; long ago, where it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return 0.0
    # A file that was moved to its place keeps the time of its content.
    return max(found.st_mtime, found.st_ctime)


def _source(path: str) -> str:
    """Return the source of a file of byte code, any other path as it is."""
    if path.endswith(".pyc"):
        with suppress(ValueError, NotImplementedError):
            return importlib.util.source_from_cache(path)
    return path


def _uses_unseen(target: Target) -> bool:
    """Return whether something may have been read that no audit event told."""
    checkpoint = target.evaluation.launcher.checkpoint
    by_safetensors = checkpoint is not None and checkpoint.suffix == ".safetensors"
    return any(name in sys.modules and not (name == "safetensors" and by_safetensors) for name in _UNSEEN)
