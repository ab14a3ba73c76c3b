"""What the history keeps of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..record import Record

__all__ = ["Point", "Run", "Value"]


@dataclass(frozen=True, slots=True)
class Value:
    """What one metric of one evaluation was.

    Args:
        evaluation: node id of the item or test.
        model, dataset, device: of the evaluation.
        metric: its name.
        value, baseline, delta: at full precision; None where there is none, or none that is finite.
        verdict: on the metric.
        samples: how many were measured.
        seconds: which the whole evaluation took.
    """

    evaluation: str
    model: str
    dataset: str
    device: str
    metric: str
    value: float | None
    baseline: float | None
    delta: float | None
    verdict: str
    samples: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of pytest that measured something.

    Args:
        id: counts the runs of a history; 0 where it is not yet in one.
        started: UTC in ISO 8601.
        plugin, torch: versions.
        commit: of git; empty where it is not known.
        is_subset: whether only a part of each dataset was asked for.
        values: in the order of collection.
    """

    id: int
    started: str
    plugin: str
    torch: str
    commit: str
    is_subset: bool
    values: tuple[Value, ...]

    @classmethod
    def of(cls, records: Sequence[Record], started: datetime, commit: str, *, is_subset: bool) -> Run:
        """Return the run that gave `records`, of which those count that were measured in it."""
        measured = [record for record in records if not record.cached]
        environment = next((record.environment for record in measured if record.environment), {})
        return cls(
            id=0,
            started=started.astimezone(UTC).isoformat(timespec="seconds"),
            plugin=environment.get("plugin", ""),
            torch=environment.get("torch", ""),
            commit=commit,
            is_subset=is_subset,
            values=tuple(value for record in measured for value in _values(record)),
        )


@dataclass(frozen=True, slots=True)
class Point:
    """What a metric was in one run.

    Args:
        time: when the run began, UTC in ISO 8601.
        commit: of git; empty where it is not known.
        value, baseline: None where there is none, or none that is finite.
        verdict: on the metric.
    """

    time: str
    commit: str
    value: float | None
    baseline: float | None
    verdict: str


def _values(record: Record) -> Iterator[Value]:
    for metric in record.metrics:
        if metric["value"] is not None:
            yield Value(
                evaluation=_text(record.id),
                model=_text(record.model),
                dataset=_text(record.dataset),
                device=record.device,
                metric=_text(metric["name"]),
                value=_finite(metric["value"]),
                baseline=_finite(metric["baseline"]),
                delta=_finite(metric["delta"]),
                verdict=metric["verdict"],
                samples=record.samples,
                seconds=_finite(record.seconds.get("total")),
            )


def _text(text: str) -> str:
    """Return `text` as UTF-8 can hold it: names of files need not be."""
    return text.encode(errors="backslashreplace").decode()


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
