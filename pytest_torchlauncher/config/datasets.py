"""An entry of ``datasets`` to its specification and metrics."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Position
from ..kinds import Metric
from ..located import Table
from ..options import Component
from ..plan import DatasetSpec, Gate, MetricSpec
from .reading import Reading, join

__all__ = ["ReadDataset", "read_dataset"]


@dataclass(frozen=True)
class ReadDataset:
    """A dataset as it was read: `spec` is None where that has problems."""

    name: str
    where: Position
    spec: DatasetSpec | None
    metrics: tuple[MetricSpec, ...]


def read_dataset(reading: Reading, table: Table, path: str, gate: Gate) -> ReadDataset:
    """Return the dataset in `table`; `gate` is that of the model."""
    where = table.where
    name = str(table.get("name", ""))
    table = reading.known(table, "dataset", path)
    annotation = table.get("annotation")
    if annotation is not None and not {"annotation_conversion", "fixture"} & set(table):
        message = "pickled annotations are never read; give annotation_conversion, from which they are made"
        reading.problems.add(table.values_at["annotation"], join(path, "annotation"), message)
    own = table.without("annotation", "dataset_meta", "metrics", "gate")
    metrics = _metrics(reading, table, path, reading.gate(table, path, gate))
    spec = reading.construct(DatasetSpec, own, path)
    if spec is not None:
        _check(reading, spec, table, path)
    return ReadDataset(name, where, spec, metrics)


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
    table = reading.known(table, "metric", path)
    name = table.get("name", table.get("type"))
    own = table.without("name", "gate")
    metric: Component[Metric] | None = reading.problems.attempt(
        lambda: Component.build(Metric, own, reading.settings.roots), own, path
    )
    if "name" in table and not isinstance(name, str):
        reading.problems.add(table.values_at["name"], join(path, "name"), f"{name!r} found, text expected")
    return MetricSpec(str(name), metric, reading.gate(table, path, gate)) if metric else None
