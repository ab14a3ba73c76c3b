"""One stored baseline: the values of an evaluation and everything that decides what they may be compared with."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import Any

from ..errors import BaselineError
from ..types import DataProvenance, Environment, Measurement, ModelProvenance, Outcomes, RunProvenance
from .outcomes import content_hash

__all__ = ["Baseline", "Key", "MetricBaseline"]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a baseline belongs to; `launcher` is the variant, empty where there is none, `device` the type only."""

    model: str
    dataset: str
    launcher: str
    device: str
    precision: str

    @property
    def evaluation(self) -> tuple[str, str, str]:
        """Model, dataset and launcher variant."""
        return self.model, self.dataset, self.launcher

    @property
    def name(self) -> str:
        """The evaluation as reports name it: ``digits_cnn-digits``, with the launcher variant where there is one."""
        return "-".join(filter(None, self.evaluation))

    @property
    def place(self) -> str:
        """Device type and precision: ``cpu fp32``."""
        return f"{self.device} {self.precision}"


@dataclass(frozen=True, slots=True)
class MetricBaseline:
    """A metric's stored value over `n` samples.

    `definition` is text: ``accuracy(top_k=1)``. `noise` is how far the values of calibrating reruns spread.
    """

    value: float
    n: int
    higher_is_better: bool
    bounded: bool
    definition: str
    noise: float | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """An entry of a baseline file.

    Args:
        reason: why a metric was lowered, as given with ``--launcher-reason``.
        previous: the values that this entry replaced; None for a first recording.
        previous_outcomes: the content hash of the outcomes beside them.
        outcomes: content hash of the per-sample outcomes, which lie in a file of their own.
    """

    key: Key
    metrics: Mapping[str, MetricBaseline]
    data: DataProvenance
    model: ModelProvenance
    run: RunProvenance
    environment: Environment
    reason: str | None
    previous: Mapping[str, float] | None
    outcomes: str
    previous_outcomes: str | None = None

    @classmethod
    def of(
        cls,
        key: Key,
        measurement: Measurement,
        outcomes: Outcomes | None = None,
        *,
        reason: str | None = None,
    ) -> Baseline:
        """Return the baseline that stores `measurement` under `key` beside `outcomes`, by default its own."""
        metrics = {
            name: MetricBaseline(
                value=float(metric.value),
                n=measurement.data.count,
                higher_is_better=bool(metric.higher_is_better),
                bounded=bool(metric.bounded),
                definition=measurement.definitions[name],
                noise=_spread(metric.value, measurement.reruns.get(name)),
            )
            for name, metric in measurement.metrics.items()
        }
        return cls(
            key=key,
            metrics=metrics,
            data=measurement.data,
            model=measurement.model,
            run=measurement.run,
            environment=measurement.environment,
            reason=reason,
            previous=None,
            outcomes=content_hash(outcomes or measurement.outcomes),
        )

    def equals(self, other: Baseline) -> bool:
        """Return whether values, outcomes, data and model are those of `other`, wherever and however it ran."""
        mine = (self.key, self.metrics, self.outcomes, self.data, self.model)
        return mine == (other.key, other.metrics, other.outcomes, other.data, other.model)

    def replacing(self, other: Baseline) -> Baseline:
        """Return this baseline in the place of `other`, which it names, with its noise where it has none of its own."""
        metrics = {
            name: replace(metric, noise=other.metrics[name].noise)
            if metric.noise is None and name in other.metrics
            else metric
            for name, metric in self.metrics.items()
        }
        previous = {name: metric.value for name, metric in other.metrics.items()}
        return replace(self, metrics=metrics, previous=previous, previous_outcomes=other.outcomes)

    def keeps(self, other: Baseline) -> bool:
        """Return whether every value of `other` is also here, unchanged."""
        values = {name: metric.value for name, metric in self.metrics.items()}
        return all(values.get(name) == metric.value for name, metric in other.metrics.items())

    def to_json(self) -> dict[str, Any]:
        """Return this baseline as builtin types; hashes stand beside the texts that decide about staleness."""
        data = _builtin(self.data)
        metrics = {
            name: {**_known(asdict(metric)), "definition_hash": _hash(metric.definition)}
            for name, metric in self.metrics.items()
        }
        return {
            "key": asdict(self.key),
            "metrics": metrics,
            "data": {**data, "preprocessing_hash": _hash(*self.data.preprocessing)},
            "model": asdict(self.model),
            "run": _builtin(self.run),
            "environment": asdict(self.environment),
            "reason": self.reason,
            "previous": None if self.previous is None else dict(self.previous),
            "outcomes": self.outcomes,
            **({} if self.previous_outcomes is None else {"previous_outcomes": self.previous_outcomes}),
        }

    @classmethod
    def from_json(cls, raw: Any) -> Baseline:
        """Return the baseline that `to_json` gave.

        Raises:
            BaselineError: a field is missing, of another type or not finite, or a text does not match its hash.
        """
        raw = _mapping(raw, "baseline")
        data = _object(DataProvenance, raw.get("data"), "data")
        _check_hash(raw["data"], "preprocessing_hash", _hash(*data.preprocessing), "data")
        previous = raw.get("previous")
        return cls(
            key=_object(Key, raw.get("key"), "key"),
            metrics=_metrics(raw.get("metrics")),
            data=data,
            model=_object(ModelProvenance, raw.get("model"), "model"),
            run=_object(RunProvenance, raw.get("run"), "run"),
            environment=_object(Environment, raw.get("environment"), "environment"),
            reason=_text(raw, "reason"),
            previous=None if previous is None else _values(previous, "previous"),
            outcomes=_value("str", raw.get("outcomes"), "outcomes"),
            previous_outcomes=_text(raw, "previous_outcomes"),
        )


def _spread(value: float, reruns: tuple[float, ...] | None) -> float | None:
    """Return how far the largest of `value` and its reruns lies from the smallest; None without reruns."""
    return None if reruns is None else float(max(value, *reruns) - min(value, *reruns))


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` without those that nobody has measured."""
    return {name: value for name, value in fields.items() if value is not None}


def _builtin(value: DataProvenance | RunProvenance) -> dict[str, Any]:
    return {name: list(item) if isinstance(item, tuple) else item for name, item in asdict(value).items()}


def _metrics(raw: Any) -> Mapping[str, MetricBaseline]:
    metrics = {
        name: _object(MetricBaseline, metric, f"metrics.{name}") for name, metric in _mapping(raw, "metrics").items()
    }
    for name, metric in metrics.items():
        _check_hash(raw[name], "definition_hash", _hash(metric.definition), f"metrics.{name}")
    if not metrics:
        raise BaselineError("metrics: none found, at least one expected; restore the file from version control")
    return metrics


def _text(raw: Mapping[str, Any], name: str) -> str | None:
    return None if raw.get(name) is None else str(_value("str", raw[name], name))


def _values(raw: Any, name: str) -> Mapping[str, float]:
    return {key: _value("float", value, f"{name}.{key}") for key, value in _mapping(raw, name).items()}


def _object(cls: type[Any], raw: Any, name: str) -> Any:
    """Return the dataclass `cls` of builtin fields made of the mapping `raw`."""
    found = _mapping(raw, name)
    # A baseline that is older than a field has its default.
    given = [f for f in fields(cls) if f.name in found or f.default is MISSING]
    return cls(**{f.name: _value(str(f.type), found.get(f.name), f"{name}.{f.name}") for f in given})


def _mapping(raw: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise _unexpected(name, raw, "a mapping")
    return raw


def _value(annotation: str, raw: Any, name: str) -> Any:
    accepts, expected = _TYPES[annotation]
    if not accepts(raw):
        raise _unexpected(name, raw, expected)
    return tuple(raw) if isinstance(raw, list) else float(raw) if annotation.startswith("float") else raw


def _check_hash(raw: Mapping[str, Any], key: str, expected: str, name: str) -> None:
    if raw.get(key) != expected:
        raise _unexpected(f"{name}.{key}", raw.get(key), f"{expected!r}, the hash of the text beside it,")


def _unexpected(name: str, raw: Any, expected: str) -> BaselineError:
    found = "nothing" if raw is None else repr(raw)
    return BaselineError(f"{name}: {found} found, {expected} expected; restore the file from version control")


def _is_finite(raw: Any) -> bool:
    return type(raw) in (int, float) and abs(raw) <= sys.float_info.max


def _is_texts(raw: Any) -> bool:
    return isinstance(raw, list) and all(isinstance(item, str) for item in raw)


_TYPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "str": (lambda raw: isinstance(raw, str), "text"),
    "int": (lambda raw: type(raw) is int, "a whole number"),
    "bool": (lambda raw: isinstance(raw, bool), "true or false"),
    "float": (_is_finite, "a finite number"),
    "float | None": (_is_finite, "a finite number"),
    "tuple[str, ...]": (_is_texts, "a list of texts"),
}
"""By the annotation of a field: what it accepts, and that in words."""


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
