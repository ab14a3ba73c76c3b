"""What is kept of each batch, and the measurement made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import DataError, OutputError, told
from ..launcher.launcher import Launcher
from ..plan import Evaluation, LauncherSpec, MetricSpec
from ..types import (
    Annotation,
    Array,
    Batch,
    DataProvenance,
    DatasetMeta,
    Label,
    Measurement,
    MetricValue,
    Outcomes,
    Prediction,
    Scores,
)
from .clock import Clock

__all__ = ["Ledger"]


class Ledger:
    """Evidence of every metric, identifiers, hashes and decisions, batch by batch."""

    def __init__(self, evaluation: Evaluation, meta: DatasetMeta) -> None:
        self._evaluation = evaluation
        self._meta = meta
        self._ids: list[str] = []
        self._digests: list[str] = []
        self._annotations: list[Annotation] = []
        self._evidence: dict[str, list[Any]] = {spec.name: [] for spec in evaluation.metrics}
        self._decisions: list[tuple[Array, Array]] = []

    def add(self, batch: Batch, annotations: Sequence[Annotation], predictions: Sequence[Prediction]) -> None:
        """Note one batch.

        Raises:
            OutputError: a metric cannot measure these predictions.
        """
        self._ids += [sample.identifier for sample in batch.samples]
        self._digests += [sample.digest for sample in batch.samples]
        self._annotations += annotations
        self._decisions.append(_decisions(predictions))
        for spec in self._evaluation.metrics:
            self._evidence[spec.name] += _observed(spec, annotations, predictions)

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
        columns["label"] = np.array([annotation.index for annotation in self._annotations])
        columns["prediction"] = np.concatenate([prediction for prediction, _ in self._decisions])
        columns["confidence"] = np.concatenate([confidence for _, confidence in self._decisions])
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
            annotations=_hash(map(repr, self._annotations)),
            label_map=_hash([json.dumps(sorted(self._meta.label_map.items()))]),
            preprocessing=tuple(map(str, steps)),
            adapter=str(evaluation.launcher.adapter) + (f" of {', '.join(outputs)}" if outputs else ""),
            postprocessing=tuple(map(str, dataset.postprocessing or ())),
            inputs=_inputs(evaluation.launcher),
        )


def _inputs(launcher: LauncherSpec) -> tuple[str, ...]:
    compat = (f"compat={launcher.compat}",) if launcher.compat else ()
    return (*map(str, launcher.inputs), *compat)


def _observed(spec: MetricSpec, annotations: Sequence[Annotation], predictions: Sequence[Prediction]) -> list[Any]:
    """Return the evidence of each sample of a batch."""
    with told(spec.name, spec.metric.where.own, OutputError):
        evidence = list(spec.metric.block.observe(annotations, predictions))
        if len(evidence) != len(annotations):
            raise OutputError(f"evidence of {len(evidence)} samples for {len(annotations)}; one a sample expected")
    return evidence


def _check_value(value: Any, count: int) -> None:
    if not isinstance(value, MetricValue) or not isinstance(value.value, int | float | np.number):
        found = value.value if isinstance(value, MetricValue) else value
        raise DataError(f"gave a {type(found).__name__}; a MetricValue with a number expected")
    if value.per_sample is not None and np.shape(value.per_sample) != (count,):
        raise DataError(f"per_sample has shape {np.shape(value.per_sample)}; ({count},), one a sample, expected")


def _hash(parts: Iterable[str]) -> str:
    # File names need not be UTF-8; a name that is not keeps its bytes.
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()


def _decisions(predictions: Sequence[Prediction]) -> tuple[Array, Array]:
    """Return predicted classes (B,) int64 and their probabilities (B,) float32, rounded to 1e-4; class ids have 1."""
    if not all(isinstance(prediction, Scores) for prediction in predictions):
        classes = [p.index if isinstance(p, Label) else int(np.argmax(p.values)) for p in predictions]
        return np.array(classes), np.ones(len(classes), dtype=np.float32)
    scores = np.stack([p.values for p in predictions if isinstance(p, Scores)]).astype(np.float64)
    # A model that ends in a softmax already returns probabilities: a second softmax would flatten them.
    if scores.min() < 0 or not np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
    return scores.argmax(axis=1), scores.max(axis=1).round(4).astype(np.float32)
