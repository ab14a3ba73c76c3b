"""One launcher file to its evaluations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError, Position, Problem
from ..gate import Gate
from ..located import Table
from ..plan import Evaluation
from .datasets import read_dataset
from .definitions import Definitions
from .devices import shared_baseline
from .document import read_document
from .launchers import read_launchers
from .marks import MarkSpec, read_marks
from .problems import Problems
from .reading import Reading, join
from .reading import Settings as Settings

__all__ = ["Entry", "LauncherFileContent", "load_document", "load_file", "model_name"]

_FILE_KEYS = ("name", "launchers", "datasets", "models", "marks", "gate", "selfcheck", "compat", "global_definitions")
_MODEL_KEYS = ("name", "launchers", "datasets", "gate", "selfcheck", "compat")


@dataclass(frozen=True)
class Entry:
    """One item: an evaluation, or the reason why its launcher is skipped. `id` is unique in the file."""

    id: str
    where: Position
    tags: tuple[str, ...] = ()
    model: str = ""
    dataset: str = ""
    evaluation: Evaluation | None = None
    skip: str = ""


@dataclass(frozen=True)
class LauncherFileContent:
    """All items of a launcher file and the marks they carry."""

    entries: tuple[Entry, ...]
    marks: tuple[MarkSpec, ...]


def model_name(path: Path) -> str:
    """Return the name of a model whose file names none: the file's name before ``.launcher``."""
    return path.name.partition(".launcher.")[0]


def load_file(path: Path, settings: Settings) -> LauncherFileContent:
    """Return the evaluations of the launcher file `path`.

    Raises:
        ConfigError: with every problem of the file.
    """
    document, known = read_document(path)
    return load_document(document, path, settings, Problems(known))


def load_document(document: Any, path: Path, settings: Settings, problems: Problems) -> LauncherFileContent:
    """Return the evaluations of a document that stands, or is taken to stand, in `path`."""
    if not isinstance(document, Table):
        raise ConfigError([Problem(Position(path, 1, 1), "", "a mapping expected: name, launchers, datasets …")])
    reading = Reading.of_file(settings, problems, document.where)
    reading.check_keys(document, _FILE_KEYS, "")
    loader = _Loader(reading, path, _definitions(document, path, settings, problems))
    entries = loader.entries(document)
    if "device" in settings.overrides:
        # Launchers that differ in the file's devices alone are one then.
        entries = [entry for position, entry in enumerate(entries) if entry not in entries[:position]]
    marks = read_marks(document.get("marks"), document.values_at.get("marks", document.where), problems)
    _check_entries(entries, problems)
    problems.raise_any()
    return LauncherFileContent(tuple(entries), marks)


def _definitions(document: Table, path: Path, settings: Settings, problems: Problems) -> Definitions:
    named = document.get("global_definitions")
    file = settings.definitions or (path.parent / str(named) if named else None)
    if file is not None and not file.is_file():
        where = document.values_at.get("global_definitions", document.where)
        problems.add(where, "global_definitions", f"{file} is not there; correct the path or --launcher-definitions")
        return Definitions()
    return Definitions.read(file)


@dataclass(frozen=True)
class _Loader:
    """Reads the models of the file `path`."""

    reading: Reading
    path: Path
    definitions: Definitions

    def entries(self, document: Table) -> list[Entry]:
        """Return the items of all models."""
        reading = self.reading.within(document, "")
        gate = reading.gate(document, "", reading.settings.gate)
        selfcheck = reading.flag(document, "selfcheck", "", base=False)
        if "models" not in document:
            return self._model_entries(reading, document, "", gate, selfcheck=selfcheck)
        return [
            entry
            for model, at in self._models(document)
            for entry in self._model_entries(
                reading.within(model, at),
                model,
                at,
                reading.gate(model, at, gate),
                selfcheck=reading.flag(model, "selfcheck", at, base=selfcheck),
            )
        ]

    def _models(self, document: Table) -> Iterator[tuple[Table, str]]:
        """Yield each model's table and its path."""
        for key in ("name", "launchers", "datasets"):
            if key in document:
                self.reading.problems.add(document.keys_at[key], key, "stands beside 'models'; move it into a model")
        for model, at in self.reading.tables(document, "models", ""):
            self.reading.check_keys(model, _MODEL_KEYS, at)
            yield model, at

    def _model_entries(self, reading: Reading, model: Table, path: str, gate: Gate, *, selfcheck: bool) -> list[Entry]:
        """Return the items of one model, launcher by launcher."""
        name = self._name(model, path)
        launchers = [(self.definitions.launcher(table), at) for table, at in reading.tables(model, "launchers", path)]
        datasets = [
            read_dataset(reading, self.definitions.dataset(table), at, gate, selfcheck=selfcheck)
            for table, at in reading.tables(model, "datasets", path)
        ]
        return [
            Entry(
                _id(name, dataset.name, *variant.suffix),
                dataset.where,
                variant.tags,
                name,
                dataset.name,
                Evaluation(name, variant.spec, dataset.spec, dataset.metrics, dataset.selfcheck)
                if variant.spec
                else None,
                variant.skip,
            )
            for variant in read_launchers(reading, launchers)
            for dataset in datasets
            if dataset.spec is not None
        ]

    def _name(self, model: Table, path: str) -> str:
        name = model.get("name", None if path else model_name(self.path))
        if not isinstance(name, str) or not name:
            where = model.values_at.get("name", model.where)
            message = f"{name!r} found, text expected" if name else "missing, and required"
            self.reading.problems.add(where, join(path, "name"), message)
        return str(name)


def _id(*parts: str) -> str:
    """Return the id of an item: pytest loses items with brackets or ``::`` in their names between runs."""
    text = "-".join(parts)
    for mark in ("::", "[", "]", "/"):
        text = text.replace(mark, "_")
    return text


def _check_entries(entries: list[Entry], problems: Problems) -> None:
    """Note entries that have one id, or devices whose evaluations have one baseline."""
    ids: set[str] = set()
    devices: dict[tuple[str, ...], str] = {}
    for entry in entries:
        if entry.id in ids:
            message = f"two evaluations are called {entry.id!r}; rename one, or give the launchers tags"
            problems.add(entry.where, "", message)
        ids.add(entry.id)
        if entry.evaluation is None:
            continue
        launcher, dataset = entry.evaluation.launcher, entry.evaluation.dataset
        kind = launcher.device.partition(":")[0]
        key = (entry.evaluation.model, dataset.name, entry.evaluation.variant, kind, launcher.precision or "fp32")
        other = devices.setdefault(key, launcher.device)
        if other != launcher.device:
            problems.add(launcher.where["device"], "", f"device: {shared_baseline(other, launcher.device)}")
