"""A config of the Accuracy Checker as one launcher file a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.definitions import Definitions
from ..config.document import read_document
from ..config.known_keys import NO_EFFECT_KEYS
from ..errors import ConfigError, Position, Problem
from ..kinds import Metric
from ..located import Row, Table
from ..paths import Roots
from ..plan import DatasetSpec, LauncherSpec
from .rewriting import Note, Rewriter, plain

__all__ = ["Imported", "Written", "imported"]

_CARRIED = ("gate", "selfcheck", "compat", "marks")
"""Keys of launcher files that stand above the models."""


@dataclass(frozen=True)
class Written:
    """The launcher file `name` with its `content`, and what is to be said of it."""

    name: str
    content: Mapping[str, Any]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Imported:
    """The launcher files of a config, and what belongs to none of them."""

    files: tuple[Written, ...]
    notes: tuple[Note, ...]


def imported(config: Path, roots: Roots, definitions: Path | None, folder: Path) -> Imported:
    """Return what the config becomes in `folder`.

    Args:
        config: the file.
        roots: folders of datasets, models and annotations.
        definitions: the file of definitions, instead of the config's own ``global_definitions``.
        folder: where the launcher files will lie.

    Raises:
        ConfigError: the config or its definitions cannot be read, or there is no list of models.
    """
    document = _read(config)
    own = document.get("global_definitions")
    path = definitions or (config.parent / str(own) if own else None)
    if path is not None and not path.is_file():
        where = document.values_at.get("global_definitions", document.where)
        raise ConfigError([Problem(where, "", f"definitions {path} are not there; name the file with -d")])
    known, read = Definitions.read(path), Rewriter(roots, config.parent.resolve(), folder.resolve())
    files: list[Written] = []
    notes = [*_above(document), *_unused(known, document), *_comments(config, path)]
    for index, model in enumerate(_entries(document, "models")):
        read.notes.clear()
        content = _model(model, f"models[{index}]", known, read)
        carried = {key: plain(document[key]) for key in _CARRIED if key in document}
        if content["launchers"] and content["datasets"]:
            name = _file_name(str(content["name"]), [file.name for file in files])
            files.append(Written(name, {**content, **carried}, tuple(read.notes)))
        else:
            lacking = "datasets" if content["launchers"] else "launcher with framework: pytorch"
            notes += [Note(model.where, f"models[{index}]", f"no {lacking}, so no file is written", plain(model))]
            notes += read.notes
    return Imported(tuple(files), tuple(notes))


def _read(config: Path) -> Table:
    document, problems = read_document(config)
    if problems:
        raise ConfigError(problems)
    expected = "a config of the Accuracy Checker with a list of models expected"
    if not isinstance(document, Table):
        raise ConfigError([Problem(Position(config, 1, 1), "", expected)])
    if not isinstance(document.get("models"), Row | Table):
        where = document.values_at.get("models", document.where)
        reason = "there is no list of models"
        if "evaluations" in document:
            reason = "custom evaluators (evaluations) are not supported"
        elif "launchers" in document:
            reason = "this is a launcher file with one model at its top already, which pytest runs as it is"
        raise ConfigError([Problem(where, "", f"{reason}; {expected}")])
    return document


def _entries(table: Table, key: str) -> list[Table]:
    entries = table.get(key)
    # The reference takes a mapping as well.
    listed = list(entries.values()) if isinstance(entries, Table) else entries or []
    unread = next((entry for entry in listed if not isinstance(entry, Table)), None)
    if unread is not None:
        raise ConfigError([Problem(table.values_at[key], key, f"{unread!r} found in the list, a mapping expected")])
    return listed


def _model(model: Table, path: str, known: Definitions, read: Rewriter) -> dict[str, Any]:
    """Return the model with what the definitions say of its launchers and datasets."""
    launchers = _each(model, "launchers", path, lambda entry, at: _launcher(known.launcher(entry), at, read))
    datasets = _each(model, "datasets", path, lambda entry, at: _dataset(known.dataset(entry), at, read))
    rest = {str(key): plain(value) for key, value in model.items() if key not in ("name", "launchers", "datasets")}
    return {"name": str(model.get("name", "model")), **rest, "launchers": launchers, "datasets": datasets}


def _each(model: Table, key: str, path: str, rewritten: Callable[[Table, str], Any]) -> list[Any]:
    found = (rewritten(entry, f"{path}.{key}[{index}]") for index, entry in enumerate(_entries(model, key)))
    return [entry for entry in found if entry is not None]


def _launcher(entry: Table, path: str, read: Rewriter) -> dict[str, Any] | None:
    framework = entry.get("framework")
    if framework != "pytorch":
        where = entry.values_at.get("framework", entry.where)
        text = f"launchers of framework {framework!s} are not carried over, only those of pytorch run here"
        read.notes.append(Note(where, path, text, plain(entry)))
        return None
    return read.mapping(LauncherSpec, _effective(entry, "launcher", path, read), path)


def _dataset(entry: Table, path: str, read: Rewriter) -> dict[str, Any]:
    entry = _effective(entry, "dataset", path, read)
    content = read.mapping(DatasetSpec, entry.without("metrics"), path)
    metrics = entry.get("metrics")
    if isinstance(metrics, Row):
        rows = enumerate(metrics)
        content["metrics"] = [read.block(Metric, metric, f"{path}.metrics[{index}]") for index, metric in rows]
    elif "metrics" in entry:
        content["metrics"] = plain(metrics)
    return content


def _effective(entry: Table, kind: str, path: str, read: Rewriter) -> Table:
    """Return `entry` without the keys that have no effect here, which are noted."""
    without = [key for key in entry if key in NO_EFFECT_KEYS[kind]]
    for key in without:
        where = entry.keys_at.get(key, entry.where)
        read.notes.append(Note(where, f"{path}.{key}", "has no effect here, left out", plain(entry[key])))
    return entry.without(*without)


def _above(document: Table) -> Iterator[Note]:
    """Yield notes of the keys beside the models that are not carried over."""
    for key in document:
        if key not in ("models", "global_definitions", *_CARRIED):
            reason = "custom evaluators are not supported" if key == "evaluations" else "unknown key"
            yield Note(document.keys_at[key], key, f"{reason}, left out", plain(document[key]))


def _unused(known: Definitions, document: Table) -> Iterator[Note]:
    """Yield a note for each list of definitions that no model of the config uses."""
    models = _entries(document, "models")
    for key, name in {"launchers": "framework", "datasets": "name"}.items():
        used = {entry.get(name) for model in models for entry in _entries(model, key)}
        listed = known.table.get(key) if known.table else None
        unused = [str(e.get(name)) for e in listed or () if isinstance(e, Table) and e.get(name) not in used]
        if unused and known.table:
            text = f"{len(unused)} definitions that no model uses are left out: {', '.join(unused)}"
            yield Note(known.table.keys_at[key], key, text)


def _comments(*paths: Path | None) -> Iterator[Note]:
    for path in filter(None, paths):
        lines = path.read_text("utf-8", errors="replace").splitlines()
        at = next((number for number, line in enumerate(lines, 1) if re.match(r"\s*#|.*\s#\s", line)), None)
        if at is not None:
            yield Note(Position(path, at, 1), "", "comments are not carried over")


def _file_name(model: str, taken: Iterable[str]) -> str:
    """Return a name for the model's file that is not `taken`."""
    stem, taken = re.sub(r"[^\w.-]+", "_", model).strip("._") or "model", set(taken)
    candidates = (f"{stem}{f'-{number}' if number > 1 else ''}.launcher.yml" for number in range(1, len(taken) + 2))
    return next(name for name in candidates if name not in taken)
