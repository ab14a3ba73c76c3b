"""The baseline file of one launcher file and the outcomes beside it: safe under concurrency and kills."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BaselineError, Position, display_path
from ..types import Outcomes
from .baseline import Baseline, Key
from .document import Document, Entry, parse, render
from .outcomes import content_hash, unpack

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["Store", "baseline_file"]


def baseline_file(launcher_file: Path) -> Path:
    """Return where the baselines of a launcher or test file lie: in ``__baselines__`` beside it.

    ``digits.launcher.yml`` has ``digits.json`` there, ``test_x.py`` has ``test_x.json``.
    """
    stem = re.sub(r"\.launcher$", "", launcher_file.stem)
    return launcher_file.parent / "__baselines__" / f"{stem}.json"


class Store:
    """The baselines in the file `path`; their outcomes lie in the folder of the same name without suffix.

    The JSON names each file of outcomes by its content hash. Outcomes are written first, the JSON that names them
    after that, and those it no longer names are deleted last: a kill leaves the old pair or the new one. Beside the
    last baseline of a key an anchor is kept once an update changed a value.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path.with_suffix("")

    def find(self, key: Key) -> Baseline | None:
        """Return the baseline of exactly `key`.

        Raises:
            BaselineError: the file cannot be read.
        """
        entry = self._document().baselines.get(key)
        return entry.baseline if entry else None

    def anchor(self, key: Key) -> Baseline | None:
        """Return the anchor of exactly `key`: the last baseline itself until an update changed a value.

        Raises:
            BaselineError: the file cannot be read.
        """
        document = self._document()
        entry = document.anchors.get(key, document.baselines.get(key))
        return entry.baseline if entry else None

    def keys(self) -> tuple[Key, ...]:
        """Return the keys of all baselines, sorted.

        Raises:
            BaselineError: the file cannot be read.
        """
        return tuple(sorted(self._document().baselines))

    def fallback(self, key: Key) -> Baseline | None:
        """Return a baseline of the same evaluation for another device or precision; the same device type goes first.

        Raises:
            BaselineError: the file cannot be read.
        """
        others = [
            e.baseline for k, e in self._document().baselines.items() if k != key and k.evaluation == key.evaluation
        ]
        return min(others, key=lambda baseline: (baseline.key.device != key.device, baseline.key), default=None)

    def outcomes(self, baseline: Baseline, remedy: str = "--launcher-update") -> Outcomes:
        """Return the per-sample outcomes of a stored `baseline`; an error names the option that is the `remedy`.

        Raises:
            BaselineError: their file is missing, damaged or another's.
        """
        path = self._outcome_file(baseline)
        remedy = f"restore {display_path(path)} from version control or run pytest {remedy}"
        try:
            return _checked(baseline, path.read_bytes())
        except OSError as error:
            raise BaselineError(
                f"outcomes of {baseline.key.name} cannot be read ({error.strerror}): {remedy}"
            ) from None
        except BaselineError as error:
            raise BaselineError(f"outcomes of {baseline.key.name}: {error.message}: {remedy}") from None

    def holds(self, baseline: Baseline) -> bool:
        """Return whether an equal baseline is stored and its outcomes can be read.

        Raises:
            BaselineError: the baseline file cannot be read.
        """
        return self._holds(self._document().baselines.get(baseline.key), baseline)

    def write(self, entries: Sequence[tuple[Baseline, bytes]], moving: Collection[Key] = ()) -> None:
        """Store baselines with their packed outcomes; entries of other keys and equal ones stay byte for byte.

        Where a value changes, what stood before becomes the anchor, unless there is one already.

        Args:
            entries: the baselines.
            moving: keys whose anchors move to what is stored now.

        Raises:
            BaselineError: the file cannot be read, or an entry is not finite or not of these outcomes.
            OSError: the files cannot be written.
        """
        with self._locked():
            self._remove_leftovers()
            stored = self._document()
            fresh = [(new, packed) for new, packed in entries if not self._holds(stored.baselines.get(new.key), new)]
            if fresh or any(key in stored.anchors for key in moving):
                stored = self._merge(stored, fresh, moving)
            self._remove_unnamed({new.key for new, _ in entries}, stored.entries)

    def remove(self, keys: Collection[Key]) -> None:
        """Remove the baselines of `keys` with their anchors and outcomes, and the file where nothing is left.

        Raises:
            BaselineError: the file cannot be read.
            OSError: the files cannot be written.
        """
        with self._locked():
            self._remove_leftovers()
            stored = self._document()
            left = Document(_without(stored.baselines, keys), _without(stored.anchors, keys))
            if left.baselines:
                _write_whole(self._path, render(left).encode())
            else:
                self._path.unlink(missing_ok=True)
            self._remove_unnamed(keys, left.entries)
            if not left.baselines and self._folder.is_dir() and not any(self._folder.iterdir()):
                self._folder.rmdir()

    def _merge(self, stored: Document, fresh: Collection[tuple[Baseline, bytes]], moving: Collection[Key]) -> Document:
        replaced = {new.key: stored.baselines[new.key] for new, _ in fresh if new.key in stored.baselines}
        changed = {new.key for new, _ in fresh if new.key in replaced and not new.keeps(replaced[new.key].baseline)}
        anchors = {**{key: replaced[key] for key in changed}, **stored.anchors}
        baselines = {**stored.baselines, **{baseline.key: Entry.of(baseline) for baseline, _ in fresh}}
        for baseline, packed in fresh:
            _checked(baseline, packed)
            _write_whole(self._outcome_file(baseline), packed)
        merged = Document(baselines, _without(anchors, moving))
        _write_whole(self._path, render(merged).encode())
        return merged

    def _remove_unnamed(self, keys: Iterable[Key], entries: Iterable[Entry]) -> None:
        """Remove outcomes of `keys` that no entry names: those just replaced, and those a killed writer left."""
        named = {self._outcome_file(entry.baseline) for entry in entries}
        for key in keys:
            for unnamed in set(self._folder.glob(f"{_file_name(key)}.*.npz")) - named:
                unnamed.unlink(missing_ok=True)

    def _holds(self, entry: Entry | None, baseline: Baseline) -> bool:
        if entry is None or not entry.baseline.equals(baseline):
            return False
        try:
            self.outcomes(baseline)
        except BaselineError:
            return False
        return True

    def _document(self) -> Document:
        try:
            text = self._path.read_bytes().decode()
        except (FileNotFoundError, NotADirectoryError):
            return Document()
        except (OSError, UnicodeDecodeError) as error:
            raise BaselineError(f"cannot be read: {error}", Position(self._path, 1, 1)) from None
        return parse(text, self._path)

    def _outcome_file(self, baseline: Baseline) -> Path:
        return self._folder / f"{_file_name(baseline.key)}.{baseline.outcomes}.npz"

    def _locked(self) -> BaseFileLock:
        """Return the lock of this file, elsewhere: nothing but baselines lies beside the launcher file."""
        from filelock import FileLock

        owner = os.getuid() if hasattr(os, "getuid") else ""
        name = hashlib.sha256(f"{owner}\n{self._path.resolve()}".encode()).hexdigest()[:16]
        return FileLock(Path(tempfile.gettempdir()) / f"pytest-torchlauncher-{name}.lock")

    def _remove_leftovers(self) -> None:
        """Remove temporary files; while the lock is held their writers are dead."""
        for temporary in (_temporary(self._path), *self._folder.glob("*.tmp")):
            if temporary.is_file():
                temporary.unlink()


def _without(entries: Mapping[Key, Entry], keys: Collection[Key]) -> Mapping[Key, Entry]:
    return {key: entry for key, entry in entries.items() if key not in keys}


def _checked(baseline: Baseline, packed: bytes) -> Outcomes:
    outcomes = unpack(packed)
    if content_hash(outcomes) != baseline.outcomes:
        raise BaselineError(f"outcomes of {baseline.key.name} are not those that its baseline names")
    return outcomes


def _file_name(key: Key) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", f"{key.name}-{key.device}-{key.precision}")


def _temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.tmp")


def _write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that neither a kill nor a power cut leaves a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Windows opens no folders, and keeps the order of renames by itself.
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
