"""What differs between a baseline and a measurement, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..baselines.baseline import Baseline, Key
from ..types import DataProvenance, Measurement, Outcomes
from .pairs import places

__all__ = ["Changes"]

_HASHES = ("ids", "content", "annotations", "label_map")
_OF_SAMPLES = ("count", "ids", "content", "annotations")
"""What a part of the dataset has otherwise than the whole."""
_FIRST = ("device", "precision", "torch", "batch", "cpu_capability", "device_name")
"""The conditions that explain a difference best."""


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
    def since(cls, baseline: Baseline, key: Key, measurement: Measurement, outcomes: Outcomes | None = None) -> Changes:
        """Return what differs between `baseline` and a `measurement` that belongs to `key`.

        With the baseline's `outcomes` it also tells which samples; of a part of the dataset they say whether its
        samples are those of the baseline.
        """
        stored = baseline.key
        return cls(
            data=dict(_data(baseline.data, measurement, outcomes)),
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
        """What decides the margin, in a few words: ``same weights, torch 2.13.0 → 2.14.1``."""
        if self.none:
            return "same weights, same environment"
        weights = (
            "same weights" if not self.model else "other weights" if "weights" in self.model else "other arguments"
        )
        told = sorted(self.conditions, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
        texts = [weights, *(self.conditions[name] for name in told[:2])]
        more = f" and {len(told) - 2} more" if len(told) > 2 else ""
        return ", ".join(texts) + more


def _data(before: DataProvenance, measurement: Measurement, outcomes: Outcomes | None) -> Iterator[tuple[str, str]]:
    after = measurement.data
    if measurement.is_subset:
        yield from _part(outcomes, measurement.outcomes)
    elif before.count != after.count:
        yield "count", f"samples {before.count} → {after.count}"
    for field in fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new or field.name == "count" or (measurement.is_subset and field.name in _OF_SAMPLES):
            continue
        which = _which(outcomes, measurement.outcomes) if field.name in ("content", "annotations") else ""
        yield field.name, f"{_label(field.name)} changed: {_texts(field.name, old, new)}{which}"


def _part(before: Outcomes | None, after: Outcomes) -> Iterator[tuple[str, str]]:
    """Yield what differs between a part of a dataset and the same samples of the baseline."""
    if before is None:
        return
    known = set(before.ids)
    new = [identifier for identifier in after.ids if identifier not in known]
    if new:
        yield "ids", f"{len(new)} of {len(after.ids)} samples are not in the baseline, the first is {new[0]}"
    elif differing := _differing(before, after):
        yield "content", f"content or annotations changed{_listed(differing, after)}"


def _which(before: Outcomes | None, after: Outcomes) -> str:
    """Return how many samples changed and which is the first, as far as that is known."""
    differing = _differing(before, after) if before else []
    return _listed(differing, after) if differing else ""


def _listed(differing: list[str], after: Outcomes) -> str:
    return f" ({len(differing)} of {len(after.ids)} samples, the first is {differing[0]})"


def _differing(before: Outcomes, after: Outcomes) -> list[str]:
    """Return the samples whose content or annotation is another; none where the baseline does not know."""
    at, old, new = places(before, after), before.columns.get("digest"), after.columns.get("digest")
    if at is None or old is None or new is None:
        return []
    return [after.ids[position] for position in (old[at] != new).nonzero()[0]]


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
