"""What differs between a baseline and a measurement, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..types import DataProvenance, Measurement
from .baseline import Baseline, Key

__all__ = ["Changes"]

_HASHES = ("ids", "content", "annotations", "label_map")


@dataclass(frozen=True, slots=True)
class Changes:
    """Differences as texts (``torch 2.13.0 → 2.14.1``), by field or by metric.

    Args:
        data: what makes every comparison meaningless.
        definitions: by metric, what makes this metric's comparison meaningless.
        model: weights and arguments.
        conditions: environment and run, and the device type and precision of a fallback.
        precisions: the baseline's and the measurement's.
        fallback: that the baseline is another key's; empty otherwise.
    """

    data: Mapping[str, str]
    definitions: Mapping[str, str]
    model: Mapping[str, str]
    conditions: Mapping[str, str]
    precisions: tuple[str, str]
    fallback: str

    @classmethod
    def since(cls, baseline: Baseline, key: Key, measurement: Measurement) -> Changes:
        """Return what differs between `baseline` and a `measurement` that belongs to `key`."""
        stored = baseline.key
        return cls(
            data=dict(_data(baseline.data, measurement.data)),
            definitions=dict(_definitions(baseline, measurement)),
            model=dict(_fields(baseline.model, measurement.model, digits=8)),
            conditions={
                **dict(_fields(stored, key)),
                **dict(_fields(baseline.run, measurement.run)),
                **dict(_fields(baseline.environment, measurement.environment)),
            },
            precisions=(stored.precision, key.precision),
            fallback=f"baseline of {stored.place} used: none for {key.place}" if stored != key else "",
        )

    @property
    def all(self) -> tuple[str, ...]:
        """Every difference as text."""
        groups = (self.data, self.definitions, self.model, self.conditions)
        texts = [text for group in groups for text in group.values()]
        return (self.fallback, *texts) if self.fallback else tuple(texts)

    def stale(self, metric: str) -> tuple[str, ...]:
        """Return what makes the comparison of `metric` meaningless, if anything."""
        return (*self.data.values(), *([self.definitions[metric]] if metric in self.definitions else []))

    @property
    def none(self) -> bool:
        """Whether weights, environment and run are the same."""
        return not self.model and not self.conditions

    @property
    def provenance(self) -> str:
        """What decides the margin: ``other weights`` or ``same weights, other torch``."""
        if self.model:
            return "other weights"
        if self.conditions:
            return f"same weights, other {', '.join(_label(name) for name in self.conditions)}"
        return "same weights, same environment"


def _data(before: DataProvenance, after: DataProvenance) -> Iterator[tuple[str, str]]:
    if before.count != after.count:
        yield "count", f"samples {before.count} → {after.count}"
    for field in fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if field.name != "count" and old != new:
            yield field.name, f"{_label(field.name)} changed: {_texts(field.name, old, new)}"


def _texts(name: str, old: Any, new: Any) -> str:
    if name in _HASHES:
        return f"{_shown(old[:8])} → {_shown(new[:8])}"
    if isinstance(old, tuple):
        old, new = _steps(old, new)
    return f"{_shown(old)} → {_shown(new)}"


def _steps(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, str]:
    """Return the steps that differ, without those before and after that both share."""
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return ", ".join(old), ", ".join(new)


def _definitions(baseline: Baseline, measurement: Measurement) -> Iterator[tuple[str, str]]:
    for name, stored in baseline.metrics.items():
        definition = measurement.definitions.get(name, stored.definition)
        if definition != stored.definition:
            yield name, f"definition of {name} changed: {stored.definition} → {definition}"


def _fields(before: Any, after: Any, digits: int | None = None) -> Iterator[tuple[str, str]]:
    for field in fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new:
            yield field.name, f"{_label(field.name)} {_shown(str(old)[:digits])} → {_shown(str(new)[:digits])}"


def _label(name: str) -> str:
    return name.replace("_", " ")


def _shown(text: str) -> str:
    return text or "none"
