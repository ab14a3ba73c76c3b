"""``--launcher-prune``: baselines of what is no longer there are deleted, after a full green run."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..errors import BaselineError, display_path
from ..record import Record
from .extent import Extent, ExtentRecorder

__all__ = ["prune"]

_OPTIONS = {
    "keyword": "-k",
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
    "lf": "--lf",
    "stepwise": "--sw",
    "setupplan": "--setup-plan",
    "setuponly": "--setup-only",
}
_NO_PROJECT = ("pyvenv.cfg", "CACHEDIR.TAG")


def prune(session: pytest.Session, records: Sequence[Record]) -> list[str]:
    """Delete entries and files of outcomes that belong to nothing any more.

    An entry belongs to what a launcher file beside it evaluates, or to a test that used it, whatever its device and
    precision. Where a file beside it was not collected, or is one of tests that were skipped or checked nothing, it
    stays.

    Returns:
        What the summary says: what was deleted, or why nothing was.
    """
    config = session.config
    recorder = config.pluginmanager.get_plugin("torchlauncher-extent")
    if recorder is None:
        return []
    extent = recorder.extent(session)
    reason = _filtered(config) or _incomplete(extent) or _not_green(session, records) or _unknown(recorder, extent)
    if reason:
        return [f"nothing was pruned: {reason}"]
    used = {(str(Path(r.baselines).resolve()), r.baseline_model, r.dataset) for r in records if r.baselines}
    read = extent.files - _silent(config.rootpath, recorder, extent, records)
    pruner = _Pruner(config, read, used | extent.evaluations)
    folders = sorted({folder for given in _given(config) for folder in _baseline_folders(given, config)})
    lines = [line for folder in folders for line in pruner.folder(folder)]
    return lines or ["nothing to prune: every baseline belongs to a launcher file or a test"]


def _filtered(config: pytest.Config) -> str | None:
    """Return how the command line kept a part of the project out."""
    option = next((text for name, text in _OPTIONS.items() if config.getoption(name, None)), None)
    if option:
        return f"{option} was given; run everything"
    given, root = _given(config), config.rootpath
    patterns = config.getini("testpaths")
    paths = [root / path for pattern in patterns for path in glob.glob(pattern, root_dir=root, recursive=True)]
    for path in paths or [root]:
        if not any(path.resolve().is_relative_to(folder) for folder in given):
            return f"the arguments leave out {display_path(path)}; run everything"
    return None


def _given(config: pytest.Config) -> list[Path]:
    """Return the files and folders that were to be collected."""
    arguments = [argument for argument in config.args if "::" not in argument]
    return [(config.invocation_params.dir / argument).resolve() for argument in arguments]


def _incomplete(extent: Extent) -> str | None:
    if extent.left_out:
        return f"{extent.left_out} {'tests were' if extent.left_out > 1 else 'test was'} deselected; run everything"
    skipped = next(iter(sorted(extent.skipped)), None)
    return f"{skipped} was skipped as a whole, so that nobody knows its baselines" if skipped else None


def _not_green(session: pytest.Session, records: Sequence[Record]) -> str | None:
    failed = next((record.id for record in records if record.failed), None)
    if failed:
        return f"{failed} failed"
    return None if session.exitstatus == pytest.ExitCode.OK else "the run was not green"


def _unknown(recorder: ExtentRecorder, extent: Extent) -> str | None:
    test = next(iter(sorted(extent.tests - recorder.passed)), None)
    return f"{test} uses torch_launcher and did not run, so that nobody knows its baselines" if test else None


def _silent(root: Path, recorder: ExtentRecorder, extent: Extent, records: Sequence[Record]) -> frozenset[str]:
    """Return the test files with a test that may have a baseline which this run did not use."""
    idle = extent.tests - {record.id for record in records}
    files = {nodeid.partition("::")[0] for nodeid in idle | recorder.skipped}
    return frozenset(str((root / file).resolve()) for file in files if file.endswith(".py"))


def _baseline_folders(given: Path, config: pytest.Config) -> Iterator[Path]:
    """Yield the folders of baselines below `given`, where pytest would collect."""
    patterns = config.getini("norecursedirs")
    for folder, children, files in os.walk(given):
        if any(name in files for name in _NO_PROJECT):
            children.clear()
            continue
        if "__baselines__" in children:
            yield Path(folder, "__baselines__")
        children[:] = [name for name in children if not any(Path(folder, name).match(p) for p in patterns)]


@dataclass(frozen=True)
class _Pruner:
    """Deletes what is neither of files besides those `read`, nor among the `known` evaluations."""

    config: pytest.Config
    read: Collection[str]
    known: Collection[tuple[str, str, str]]

    def folder(self, folder: Path) -> Iterator[str]:
        """Prune the baseline files in `folder`; yield a line for whatever was deleted."""
        paths = {child.with_suffix(".json") for child in folder.iterdir() if child.is_dir() or child.suffix == ".json"}
        for path in sorted(paths):
            try:
                yield from self._entries(path)
                yield from _outcomes(path)
            except (BaselineError, OSError) as error:
                yield f"{display_path(path)} was not pruned: {error}"

    def _entries(self, path: Path) -> Iterator[str]:
        from ..baselines.store import Store

        if any(self._is_unread(source) for source in _sources(path)):
            return
        store, resolved = Store(path), str(path.resolve())
        keys = store.keys()
        orphans = [key for key in keys if (resolved, key.model, key.dataset) not in self.known]
        if orphans:
            store.remove(orphans)
        for key in orphans:
            yield f"pruned {key.name} on {key.place} from {display_path(path)}"

    def _is_unread(self, source: Path) -> bool:
        """Return whether `source` may have baselines of which this run knows nothing."""
        patterns = [*self.config.getini("python_files"), "*.launcher.*"]
        is_source = any(source.match(pattern) for pattern in patterns)
        return is_source and source.is_file() and str(source.resolve()) not in self.read


def _sources(path: Path) -> list[Path]:
    """Return the files that the baseline file `path` may belong to."""
    return [path.parent.parent / f"{path.stem}{suffix}" for suffix in (".launcher.yml", ".launcher.yaml", ".py")]


def _outcomes(path: Path) -> Iterator[str]:
    """Delete outcomes that no entry of the baseline file `path` names."""
    from ..baselines.store import Store

    store, folder = Store(path), path.with_suffix("")
    keys = store.keys()
    entries = [entry for key in keys for entry in (store.find(key), store.anchor(key)) if entry]
    named = {entry.outcomes for entry in entries}
    unnamed = [file for file in folder.glob("*.npz") if file.stem.rpartition(".")[2] not in named]
    for file in unnamed:
        file.unlink()
    if unnamed:
        yield f"pruned {len(unnamed)} of the outcomes in {display_path(folder)}, which no baseline names"
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
