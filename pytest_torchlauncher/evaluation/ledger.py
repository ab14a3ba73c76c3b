"""What is kept of each batch, and the measurement made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from ..errors import DataError, told
from ..launcher.launcher import Launcher
from ..plan import Evaluation, LauncherSpec, MetricSpec
from ..types import (
    Array,
    DataProvenance,
    DatasetMeta,
    Drawing,
    Evidence,
    Measurement,
    MetricValue,
    Outcomes,
    Pair,
)
from .clock import Clock
from .decisions import Decisions, decided
from .drawn import drawing_of
from .groups import groups_of
from .observation import annotation_digest, observed

__all__ = ["Ledger", "provenance_of_steps", "summarized"]


class Ledger:
    """Evidence of every metric, identifiers, hashes, groups and decisions, batch by batch.

    Args:
        evaluation: says which metrics.
        meta: the dataset's classes.
        groups: keys of the samples' metadata, or ``class``, by which samples are told apart.
    """

    def __init__(self, evaluation: Evaluation, meta: DatasetMeta, groups: Sequence[str] = ()) -> None:
        self._evaluation = evaluation
        self._meta = meta
        self._groups: dict[str, list[tuple[str, ...]]] = {key: [] for key in groups}
        self._ids: list[str] = []
        self._digests: list[str] = []
        self._annotations: list[str] = []
        self._evidence: dict[str, list[Any]] = {spec.name: [] for spec in evaluation.metrics}
        self._decisions: list[Decisions] = []
        self._drawings: list[Drawing | None] = []

    def add(self, pairs: Sequence[Pair]) -> None:
        """Note one batch.

        Raises:
            OutputError: a metric cannot measure these predictions.
        """
        self._ids += [pair.sample.identifier for pair in pairs]
        self._digests += [pair.sample.digest for pair in pairs]
        self._annotations += [annotation_digest(pair.sample.annotation) for pair in pairs]
        if decisions := decided(pairs):
            self._decisions.append(decisions)
        self._drawings += [drawing_of(pair.prediction, pair.sample.original_size) for pair in pairs]
        for key, groups in self._groups.items():
            groups += [groups_of(pair, key) for pair in pairs]
        for spec in self._evaluation.metrics:
            self._evidence[spec.name] += observed(spec, pairs)

    def __len__(self) -> int:
        return len(self._ids)

    def latest(self, names: Sequence[str], count: int) -> tuple[Sequence[str], Array, dict[str, Array]]:
        """Return the last `count` identifiers, digests, and what their samples score alone by the metrics `names`."""
        specs = [spec for spec in self._evaluation.metrics if spec.name in names]
        alone = {spec.name: summarized(spec, self._evidence[spec.name][-count:], self._meta) for spec in specs}
        scores = {name: np.asarray(value.per_sample) for name, value in alone.items() if value.per_sample is not None}
        return self._ids[-count:], self._digest(count), scores

    def values(self) -> dict[str, float]:
        """Return the value of every metric."""
        return {
            spec.name: float(summarized(spec, self._evidence[spec.name], self._meta).value)
            for spec in self._evaluation.metrics
        }

    def running(self) -> tuple[str, float] | None:
        """Return name and value of the first metric; None where it is not the mean of its samples, or has none yet."""
        spec = self._evaluation.metrics[0]
        if not spec.metric.block.is_mean or not self._ids:
            return None
        with suppress(DataError):
            return spec.name, float(summarized(spec, self._evidence[spec.name], self._meta).value)
        return None

    def measurement(self, launcher: Launcher, clock: Clock, only: str | None = None) -> Measurement:
        """Return the measurement of everything noted, or of the metric `only`.

        Raises:
            DataError: nothing was noted, or a metric lacks what it needs of the dataset.
        """
        if not self._ids:
            raise DataError(
                f"dataset {self._evaluation.dataset.name!r} has no samples, at least one expected",
                self._evaluation.dataset.where.own,
            )
        specs = [spec for spec in self._evaluation.metrics if only in (None, spec.name)]
        metrics = {spec.name: summarized(spec, self._evidence[spec.name], self._meta) for spec in specs}
        return Measurement(
            metrics=metrics,
            definitions={spec.name: str(spec.metric) for spec in specs},
            outcomes=self._outcomes(metrics),
            data=self._data(),
            model=launcher.model,
            run=launcher.provenance(self._evaluation.batch),
            environment=launcher.environment,
            seconds=clock.seconds(),
            evidence={spec.name: self._kept(spec) for spec in specs if not spec.metric.block.is_mean},
            groups=self._groups,
            classes=self._meta.label_map,
            drawings=self._drawings if any(self._drawings) else (),
        )

    def _kept(self, spec: MetricSpec) -> Evidence:
        meta = self._meta
        return Evidence(
            self._evidence[spec.name],
            lambda items: float(summarized(spec, items, meta).value),
            lambda items: spec.metric.block.curves(items, meta),
        )

    def _outcomes(self, metrics: dict[str, MetricValue]) -> Outcomes:
        columns = {f"metric:{n}": np.asarray(m.per_sample) for n, m in metrics.items() if m.per_sample is not None}
        for name in Decisions.__dataclass_fields__ if self._decisions else ():
            columns[name] = np.concatenate([getattr(decisions, name) for decisions in self._decisions])
        columns["digest"] = self._digest(len(self._ids))
        return Outcomes(tuple(self._ids), columns)

    def _digest(self, count: int) -> Array:
        """Return 32 bits of the last `count` samples' contents and annotations."""
        pairs = zip(self._digests[-count:], self._annotations[-count:], strict=True)
        return np.array([_short(content, annotation) for content, annotation in pairs], dtype=np.uint32)

    def _data(self) -> DataProvenance:
        return DataProvenance(
            count=len(self._ids),
            ids=_hash(self._ids),
            content=_hash(self._digests),
            annotations=_hash(self._annotations),
            label_map=_hash([_classes(self._meta)]),
            **provenance_of_steps(self._evaluation),
        )


def provenance_of_steps(evaluation: Evaluation) -> dict[str, Any]:
    """Return the fields of `DataProvenance` that are known before anything is run."""
    dataset, outputs = evaluation.dataset, evaluation.launcher.output_names
    reader = dataset.reader or "opencv_imread()"
    steps = [*([] if dataset.fixture else [reader]), *(dataset.preprocessing or ())]
    return {
        "preprocessing": tuple(map(str, steps)),
        "adapter": str(evaluation.launcher.adapter) + (f" of {', '.join(outputs)}" if outputs else ""),
        "postprocessing": tuple(map(str, dataset.postprocessing or ())),
        "inputs": _inputs(evaluation.launcher),
    }


def summarized(spec: MetricSpec, evidence: Sequence[Any], meta: DatasetMeta) -> MetricValue:
    """Return the value of a metric over `evidence`.

    Raises:
        DataError: the metric lacks what it needs, or gave something else than a value.
    """
    with told(spec.name, spec.metric.where.own, DataError):
        value = spec.metric.block.summarize(evidence, meta)
        _check_value(value, len(evidence))
    return value


def _inputs(launcher: LauncherSpec) -> tuple[str, ...]:
    compat = (f"compat={launcher.compat}",) if launcher.compat else ()
    return (*map(str, launcher.inputs), *compat)


def _classes(meta: DatasetMeta) -> str:
    """Return the classes as text; what a dataset does not say leaves no trace in it."""
    colors = [meta.segmentation_colors, sorted(meta.prediction_to_gt_labels.items())]
    return json.dumps(sorted(meta.label_map.items())) + (json.dumps(colors) if any(colors) else "")


def _check_value(value: Any, count: int) -> None:
    if not isinstance(value, MetricValue) or not isinstance(value.value, int | float | np.number):
        found = value.value if isinstance(value, MetricValue) else value
        raise DataError(f"gave a {type(found).__name__}; a MetricValue with a number expected")
    if value.per_sample is not None and np.shape(value.per_sample) != (count,):
        raise DataError(f"per_sample has shape {np.shape(value.per_sample)}; ({count},), one a sample, expected")


def _short(content: str, annotation: str) -> int:
    """Return 32 bits of a hash: enough to tell which sample changed, and small beside its other outcomes."""
    return int(hashlib.sha256(f"{content}\n{annotation}".encode(errors="surrogateescape")).hexdigest()[:8], 16)


def _hash(parts: Iterable[str]) -> str:
    # File names need not be UTF-8; a name that is not keeps its bytes.
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()
