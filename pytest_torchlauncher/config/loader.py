"""One launcher file to its evaluations."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from ..errors import ConfigError, Position, Problem, did_you_mean
from ..kinds import Metric
from ..launcher.device import canonical_device
from ..located import Row, Table, Text, located
from ..options import Component, OneOrMany, Roots, Spec, construct
from ..plan import DatasetSpec, Evaluation, Gate, LauncherSpec, MetricSpec
from ..reference_names import FRAMEWORKS
from .definitions import Definitions
from .document import read_document
from .known_keys import LATER_KEYS, NO_EFFECT_KEYS
from .marks import MarkSpec, is_mark, read_marks
from .problems import Problems

__all__ = [
    "Entry",
    "LauncherFileContent",
    "LauncherFileWarning",
    "Settings",
    "load_document",
    "load_file",
    "model_name",
]

T = TypeVar("T")

_FILE_KEYS = ("name", "launchers", "datasets", "models", "marks", "gate", "global_definitions")
_MODEL_KEYS = ("name", "launchers", "datasets", "gate")
_METRIC_KEYS = ("name", "gate")
_NO_EFFECT = {"metric": "is not judged yet: the stored baseline decides"}


class LauncherFileWarning(UserWarning):
    """Something in a launcher file has no effect."""


@dataclass(frozen=True)
class Settings:
    """What options, ini and environment variables say about all launcher files."""

    roots: Roots = Roots()
    definitions: Path | None = None
    gate: Gate = Gate()
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One item: an evaluation, or the reason why its launcher is skipped. `id` is unique in the file."""

    id: str
    where: Position
    tags: tuple[str, ...]
    evaluation: Evaluation | None
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
    _check_keys(document, _FILE_KEYS, "", problems)
    loader = _Loader(path, settings, problems, _definitions(document, path, settings, problems))
    gate = loader.gate(document, "", settings.gate)
    entries = [entry for model, at in loader.models(document) for entry in loader.entries(model, at, gate)]
    marks = read_marks(document.get("marks"), document.values_at.get("marks", document.where), problems)
    for position, entry in enumerate(entries):
        if entry.id in [other.id for other in entries[:position]]:
            problems.add(
                entry.where, "", f"two evaluations are called {entry.id!r}; rename one, or give the launchers tags"
            )
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


def _check_keys(table: Table, known: tuple[str, ...], path: str, problems: Problems) -> None:
    for key in table:
        if key not in known:
            message = f"unknown key{did_you_mean(str(key), known) or '; known are ' + ', '.join(known)}"
            if key == "evaluations":
                message = "custom evaluators are known to the Accuracy Checker, not supported here yet"
            problems.add(table.keys_at[key], _join(path, str(key)), message)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


@dataclass(frozen=True)
class _Loader:
    """Reads the parts of one file; problems are noted, and what has some is left out."""

    path: Path
    settings: Settings
    problems: Problems
    definitions: Definitions

    def models(self, document: Table) -> Iterator[tuple[Table, str]]:
        """Yield each model's table and its path; a file without ``models`` is one model itself."""
        if "models" not in document:
            yield document, ""
            return
        for key in ("name", "launchers", "datasets"):
            if key in document:
                self.problems.add(document.keys_at[key], key, "stands beside 'models'; move it into a model")
        for model, path in self._tables(document, "models", ""):
            _check_keys(model, _MODEL_KEYS, path, self.problems)
            yield model, path

    def entries(self, model: Table, path: str, gate: Gate) -> list[Entry]:
        """Return the items of one model, launcher by launcher."""
        name = self._name(model, path)
        model_gate = self.gate(model, path, gate) if path else gate
        launchers = [(self.definitions.launcher(table), at) for table, at in self._tables(model, "launchers", path)]
        datasets = [
            self._dataset(self.definitions.dataset(table), at, model_gate)
            for table, at in self._tables(model, "datasets", path)
        ]
        return [
            entry
            for table, at in launchers
            for entry in self._launcher_entries(name, table, at, datasets, several=len(launchers) > 1)
        ]

    def _launcher_entries(
        self, model: str, table: Table, path: str, datasets: list[_Dataset], *, several: bool
    ) -> list[Entry]:
        framework = table.get("framework")
        if isinstance(framework, str) and framework != "pytorch":
            return self._other_framework(model, table, path, datasets)
        launcher = self._launcher(table, path)
        if launcher is None:
            return []
        suffix = (launcher.tags or (launcher.device,)) if several else ()
        return [
            Entry(
                _id(model, dataset.name, *suffix),
                dataset.where,
                launcher.tags,
                Evaluation(model, launcher, dataset.spec, dataset.metrics),
            )
            for dataset in datasets
            if dataset.spec is not None
        ]

    def _other_framework(self, model: str, table: Table, path: str, datasets: list[_Dataset]) -> list[Entry]:
        """Return the skipped items of a launcher of another framework, of which only the tags are read."""
        framework = str(table["framework"])
        if framework not in FRAMEWORKS:
            hint = did_you_mean(framework, FRAMEWORKS) or "; 'pytorch' expected"
            self.problems.add(table.values_at["framework"], _join(path, "framework"), f"unknown framework{hint}")
        spec = self._construct(_OtherLauncher, table.only("framework", "tags"), path)
        if spec is None or not self._checked_tags(spec.tags, table, path):
            return []
        reason = f"framework {framework!r} is not run here, only 'pytorch'"
        suffix = spec.tags or (framework,)
        return [Entry(_id(model, d.name, *suffix), d.where, spec.tags, None, reason) for d in datasets]

    def _checked_tags(self, tags: tuple[str, ...], table: Table, path: str) -> bool:
        """Return whether all tags can be marks; a problem is noted for one that cannot."""
        unfit = next((tag for tag in tags if not is_mark(tag)), None)
        if unfit is not None:
            message = f"{unfit!r} found, a name of letters, digits and _ that begins with a letter expected"
            self.problems.add(table.values_at["tags"], _join(path, "tags"), message)
        return unfit is None

    def _launcher(self, table: Table, path: str) -> LauncherSpec | None:
        table = self._known(table, "launcher", path)
        if self.settings.overrides:
            table = _override(table, self.settings.overrides)
        spec = self._construct(LauncherSpec, table, path)
        if spec is None or not self._checked_tags(spec.tags, table, path):
            return None
        try:
            return replace(spec, device=canonical_device(spec.device))
        except ValueError as error:
            self.problems.add(spec.where["device"], _join(path, "device"), str(error))
            return None

    def _construct(self, cls: type[T], table: Table, path: str) -> T | None:
        return self.problems.attempt(lambda: construct(cls, table, self.settings.roots), table, path)

    def _dataset(self, table: Table, path: str, gate: Gate) -> _Dataset:
        where = table.where
        name = str(table.get("name", ""))
        table = self._known(table, "dataset", path)
        annotation = table.get("annotation")
        if annotation is not None and not {"annotation_conversion", "fixture"} & set(table):
            self.problems.add(
                table.values_at["annotation"],
                _join(path, "annotation"),
                "pickled annotations are never read; give annotation_conversion, from which they are made",
            )
        own = table.without("annotation", "dataset_meta", "metrics", "gate")
        metrics = self._metrics(table, path, self.gate(table, path, gate))
        spec = self._construct(DatasetSpec, own, path)
        if spec is not None:
            self._check_dataset(spec, annotation is not None, table, path)
        return _Dataset(name, where, spec, metrics)

    def _check_dataset(self, spec: DatasetSpec, annotated: bool, table: Table, path: str) -> None:
        if spec.fixture is None and spec.annotation_conversion is None and not annotated:
            self.problems.add(table.where, path, "annotation_conversion or fixture is missing; one of them is required")
        if spec.fixture is not None:
            for key in ("annotation_conversion", "data_source", "reader"):
                if getattr(spec, key) is not None:
                    message = f"stands beside 'fixture', which gives the samples itself; remove {key}"
                    self.problems.add(table.keys_at[key], _join(path, key), message)

    def _metrics(self, table: Table, path: str, gate: Gate) -> tuple[MetricSpec, ...]:
        specs: list[MetricSpec] = []
        for metric, at in self._tables(table, "metrics", path, shorthand=True):
            spec = self._metric(metric, at, gate)
            if spec and spec.name in [other.name for other in specs]:
                self.problems.add(metric.where, at, f"a metric is called {spec.name!r} already; give this one a name")
            elif spec:
                specs.append(spec)
        return tuple(specs)

    def _metric(self, table: Table, path: str, gate: Gate) -> MetricSpec | None:
        table = self._known(table, "metric", path)
        name = table.get("name", table.get("type"))
        own = table.without(*_METRIC_KEYS)
        metric: Component[Metric] | None = self.problems.attempt(
            lambda: Component.build(Metric, own, self.settings.roots), own, path
        )
        if "name" in table and not isinstance(name, str):
            self.problems.add(table.values_at["name"], _join(path, "name"), f"{name!r} found, text expected")
        return MetricSpec(str(name), metric, self.gate(table, path, gate)) if metric else None

    def gate(self, table: Table, path: str, base: Gate) -> Gate:
        """Return the gate that `table` lays over `base`."""
        if "gate" not in table:
            return base
        raw, where = table["gate"], table.values_at["gate"]
        if not isinstance(raw, Table):
            self.problems.add(where, _join(path, "gate"), "a mapping expected: gate: {margin: 0.005}")
            return base
        gate = self._construct(Gate, raw, _join(path, "gate"))
        return gate.over(base) if gate else base

    def _known(self, table: Table, kind: str, path: str) -> Table:
        """Return `table` without keys that have no effect, which warn, and those of later versions, which fail."""
        for key in table:
            if key in LATER_KEYS[kind]:
                message = "known to the Accuracy Checker, not supported here yet"
                self.problems.add(table.keys_at[key], _join(path, key), message)
            elif key in NO_EFFECT_KEYS[kind]:
                self._warn(table.keys_at[key], _join(path, key), _NO_EFFECT.get(kind, "has no effect here"))
        return table.without(*LATER_KEYS[kind], *NO_EFFECT_KEYS[kind])

    def _warn(self, where: Position, path: str, message: str) -> None:
        try:
            warnings.warn_explicit(f"{path} {message}", LauncherFileWarning, str(where.file), where.line)
        except LauncherFileWarning:  # where the project makes warnings errors
            self.problems.add(where, path, message)

    def _name(self, model: Table, path: str) -> str:
        name = model.get("name", None if path else model_name(self.path))
        if not isinstance(name, str) or not name:
            where = model.values_at.get("name", model.where)
            self.problems.add(
                where, _join(path, "name"), f"{name!r} found, text expected" if name else "missing, and required"
            )
        return str(name)

    def _tables(self, parent: Table, key: str, path: str, *, shorthand: bool = False) -> Iterator[tuple[Table, str]]:
        """Yield the mappings listed under `key`, which must be there; `shorthand` takes a name for its ``type``."""
        at = _join(path, key)
        value = parent.get(key)
        if key not in parent:
            self.problems.add(parent.where, at, "missing, and required")
            return
        if isinstance(value, Table):  # the reference takes a mapping of datasets as well
            value = Row(list(value.values()), value.where, list(value.values_at.values()))
        if not isinstance(value, Row) or not value:
            self.problems.add(parent.values_at[key], at, "a list with at least one entry expected")
            return
        for index, item in enumerate(value):
            if shorthand and isinstance(item, Text):
                item = Table({"type": item}, item.where, {"type": item.where}, {"type": item.where})
            if isinstance(item, Table):
                yield item, f"{at}[{index}]"
            else:
                self.problems.add(value.places[index], f"{at}[{index}]", f"{item!r} found, a mapping expected")


@dataclass(frozen=True)
class _OtherLauncher(Spec):
    """What is read of a launcher that is not run."""

    framework: str
    tags: Annotated[tuple[str, ...], OneOrMany] = ()


@dataclass(frozen=True)
class _Dataset:
    name: str
    where: Position
    spec: DatasetSpec | None
    metrics: tuple[MetricSpec, ...]


def _override(table: Table, overrides: Mapping[str, Any]) -> Table:
    return located(dict(overrides), table.where).over(table)  # type: ignore[no-any-return]


def _id(*parts: str) -> str:
    """Return the id of an item: pytest loses items with brackets or ``::`` in their names between runs."""
    text = "-".join(parts)
    for mark in ("::", "[", "]", "/"):
        text = text.replace(mark, "_")
    return text
