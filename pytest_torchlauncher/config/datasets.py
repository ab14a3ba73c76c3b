"""An entry of ``datasets`` to its specification and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import Position, did_you_mean
from ..gate import Gate, Reference
from ..kinds import Metric
from ..located import Table
from ..options import Component, option_names
from ..plan import DatasetSpec, MetricSpec
from ..registry import lookup
from .reading import Reading, join

__all__ = ["ReadDataset", "read_dataset"]

_SOURCES = ("annotation_source", "prediction_source")
_REFERENCE = ("reference", "abs_threshold", "rel_threshold", "threshold", "presenter")


@dataclass(frozen=True)
class ReadDataset:
    """A dataset as it was read: `spec` is None where that has problems."""

    name: str
    where: Position
    spec: DatasetSpec | None
    metrics: tuple[MetricSpec, ...]
    selfcheck: bool


def read_dataset(reading: Reading, table: Table, path: str, gate: Gate, *, selfcheck: bool = False) -> ReadDataset:
    """Return the dataset in `table`; `gate` and `selfcheck` are those of the model."""
    where = table.where
    name = str(table.get("name", ""))
    table = reading.known(table, "dataset", path)
    annotation = table.get("annotation")
    if annotation is not None and not {"annotation_conversion", "fixture"} & set(table):
        message = "pickled annotations are never read; give annotation_conversion, from which they are made"
        reading.problems.add(table.values_at["annotation"], join(path, "annotation"), message)
    own = table.without("annotation", "dataset_meta", "metrics", "gate", "selfcheck")
    metrics = _metrics(reading, table, path, reading.gate(table, path, gate))
    spec = reading.construct(DatasetSpec, own, path)
    if spec is not None:
        _check(reading, spec, table, path)
    return ReadDataset(name, where, spec, metrics, reading.flag(table, "selfcheck", path, base=selfcheck))


def _check(reading: Reading, spec: DatasetSpec, table: Table, path: str) -> None:
    if spec.fixture is None and spec.annotation_conversion is None and table.get("annotation") is None:
        message = "annotation_conversion or fixture is missing; one of them is required"
        reading.problems.add(table.where, path, message)
    if spec.fixture is not None:
        for key in ("annotation_conversion", "data_source", "reader"):
            if getattr(spec, key) is not None:
                message = f"stands beside 'fixture', which gives the samples itself; remove {key}"
                reading.problems.add(table.keys_at[key], join(path, key), message)


def _metrics(reading: Reading, table: Table, path: str, gate: Gate) -> tuple[MetricSpec, ...]:
    specs: list[MetricSpec] = []
    for metric, at in reading.tables(table, "metrics", path, shorthand=True):
        spec = _metric(reading, metric, at, gate)
        if spec and spec.name in [other.name for other in specs]:
            message = f"a metric is called {spec.name!r} already; give this one a name"
            reading.problems.add(metric.where, at, message)
        elif spec:
            specs.append(spec)
    return tuple(specs)


def _metric(reading: Reading, table: Table, path: str, gate: Gate) -> MetricSpec | None:
    name = table.get("name", table.get("type"))
    judged_by = [key for key in _REFERENCE if key not in _options(table.get("type"))]
    own = _without_misspelt(reading, table.without("name", "gate", *_SOURCES, *judged_by), path)
    metric: Component[Metric[Any, Any]] | None = reading.problems.attempt(
        lambda: Component.build(Metric, own, reading.context), own, path
    )
    for key in ("name", *_SOURCES):
        if key in table and not isinstance(table[key], str):
            reading.problems.add(table.values_at[key], join(path, key), f"{table[key]!r} found, text expected")
    sources = {key: str(table[key]) for key in _SOURCES if key in table}
    reference = _reference(reading, table.only(*judged_by), path)
    own_gate = reading.gate(table, path, gate)
    return MetricSpec(str(name), metric, own_gate, **sources, reference=reference) if metric else None


def _without_misspelt(reading: Reading, table: Table, path: str) -> Table:
    """Return `table` without keys that are nearly one which every metric has; they are noted."""
    known = _options(table.get("type"))
    shared = ("name", "gate", *_SOURCES, *_REFERENCE)
    hints = {key: did_you_mean(str(key), shared) for key in table if key != "type" and key not in known}
    misspelt = [key for key, hint in hints.items() if hint and not did_you_mean(str(key), known)]
    for key in misspelt:
        reading.problems.add(table.keys_at[key], join(path, key), f"unknown key{hints[key]}")
    return table.without(*misspelt)


def _reference(reading: Reading, table: Table, path: str) -> Reference | None:
    """Return what the metric in `table` is judged by besides its baseline."""
    for key in set(table) - {"reference", "presenter"} if "reference" not in table else ():
        message = "has no effect without reference; give it, or gate: {margin: …} against the baseline"
        reading.problems.warn(table.keys_at[key], join(path, key), message)
    return reading.construct(Reference, table, path) if table else None


def _options(metric: Any) -> frozenset[str]:
    """Return the options of the metric of that name; none where there is no such metric, which is told elsewhere."""
    try:
        return option_names(lookup(Metric.kind, str(metric)))
    except LookupError:
        return frozenset()
