"""What is kept of each batch, and the measurement made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import DataError, told
from ..launcher.launcher import Launcher
from ..plan import Evaluation, LauncherSpec, MetricSpec
from ..types import DataProvenance, DatasetMeta, Measurement, MetricValue, Outcomes, Pair
from .clock import Clock
from .decisions import Decisions, decided
from .observation import annotation_digest, observed

__all__ = ["Ledger"]


class Ledger:
    """Evidence of every metric, identifiers, hashes and decisions, batch by batch."""

    def __init__(self, evaluation: Evaluation, meta: DatasetMeta) -> None:
        self._evaluation = evaluation
        self._meta = meta
        self._ids: list[str] = []
        self._digests: list[str] = []
        self._annotations: list[str] = []
        self._evidence: dict[str, list[Any]] = {spec.name: [] for spec in evaluation.metrics}
        self._decisions: list[Decisions] = []

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
        for spec in self._evaluation.metrics:
            self._evidence[spec.name] += observed(spec, pairs)

    def measurement(self, launcher: Launcher, clock: Clock) -> Measurement:
        """Return the measurement of everything noted.

        Raises:
            DataError: nothing was noted, or a metric lacks what it needs of the dataset.
        """
        if not self._ids:
            raise DataError(
                f"dataset {self._evaluation.dataset.name!r} has no samples", self._evaluation.dataset.where.own
            )
        metrics = {spec.name: self._summary(spec) for spec in self._evaluation.metrics}
        return Measurement(
            metrics=metrics,
            definitions={spec.name: str(spec.metric) for spec in self._evaluation.metrics},
            outcomes=self._outcomes(metrics),
            data=self._data(),
            model=launcher.model,
            run=launcher.provenance(self._evaluation.batch),
            environment=launcher.environment,
            seconds=clock.seconds(),
        )

    def _summary(self, spec: MetricSpec) -> MetricValue:
        with told(spec.name, spec.metric.where.own, DataError):
            value = spec.metric.block.summarize(self._evidence[spec.name], self._meta)
            _check_value(value, len(self._ids))
        return value

    def _outcomes(self, metrics: dict[str, MetricValue]) -> Outcomes:
        columns = {f"metric:{n}": np.asarray(m.per_sample) for n, m in metrics.items() if m.per_sample is not None}
        for name in Decisions.__dataclass_fields__ if self._decisions else ():
            columns[name] = np.concatenate([getattr(decisions, name) for decisions in self._decisions])
        return Outcomes(tuple(self._ids), columns)

    def _data(self) -> DataProvenance:
        evaluation, dataset = self._evaluation, self._evaluation.dataset
        reader = dataset.reader or "opencv_imread()"
        steps = [*([] if dataset.fixture else [reader]), *(dataset.preprocessing or ())]
        outputs = evaluation.launcher.output_names
        return DataProvenance(
            count=len(self._ids),
            ids=_hash(self._ids),
            content=_hash(self._digests),
            annotations=_hash(self._annotations),
            label_map=_hash([_classes(self._meta)]),
            preprocessing=tuple(map(str, steps)),
            adapter=str(evaluation.launcher.adapter) + (f" of {', '.join(outputs)}" if outputs else ""),
            postprocessing=tuple(map(str, dataset.postprocessing or ())),
            inputs=_inputs(evaluation.launcher),
        )


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


def _hash(parts: Iterable[str]) -> str:
    # File names need not be UTF-8; a name that is not keeps its bytes.
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()
