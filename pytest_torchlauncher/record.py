"""The record of one evaluation: builtin types only, so that it travels from xdist workers to the controller."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

__all__ = ["RECORDS", "STATUSES", "Record", "StoredEntry"]

STATUSES = (
    "pass",
    "recorded",
    "updated",
    "improved",
    "inconclusive",
    "skipped",
    "regressed",
    "missing_baseline",
    "stale_baseline",
    "error",
)


@dataclass(frozen=True)
class StoredEntry:
    """What the controller is to write: an entry of the baseline file `path` and the packed outcomes, in base64.

    `moves_anchor` says that the anchor moves along.
    """

    path: str
    entry: Mapping[str, Any]
    outcomes: str
    moves_anchor: bool = False

    @classmethod
    def of(cls, path: str, entry: Mapping[str, Any], outcomes: bytes, *, moves_anchor: bool = False) -> StoredEntry:
        """Return the entry with `outcomes` made fit to travel as text."""
        return cls(path, entry, base64.b64encode(outcomes).decode("ascii"), moves_anchor)

    @property
    def outcome_bytes(self) -> bytes:
        """The packed outcomes."""
        return base64.b64decode(self.outcomes)


@dataclass(frozen=True)
class Record:
    """One evaluation's result as reports show it.

    Args:
        id: node id of the item or test.
        index: place in the order of collection.
        status: one of `STATUSES`.
        failed: whether the status fails the item.
        message: the first line: metric, value, baseline, delta, verdict.
        detail: what follows it: the table of comparisons, or the user's own traceback.
        metrics: one mapping a metric with name, type, value, components, higher_is_better, baseline, delta, allowed
            and verdict.
        seconds: by stage, see `types.Seconds`.
        run: how the model was run, see `types.RunProvenance`.
        provenance: what changed since the baseline, in one line.
        flips: the samples that were right and are wrong now, a mapping each.
        slices: the parts of the dataset that were judged by themselves, a mapping each.
        write: what the controller is to store, if anything.
        candidate: what would be stored if somebody accepted what a failing or better run measured.
        baselines: the baseline file that it was judged against.
        baseline_model: the model's name there.
        charts, pictures: what a report page draws, a mapping each.
        cached: whether it was not run, since nothing changed since it gave this.
    """

    id: str
    index: int
    model: str
    dataset: str
    device: str
    file: str
    line: int
    status: str
    failed: bool
    message: str
    detail: str = ""
    samples: int = 0
    metrics: tuple[Mapping[str, Any], ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    provenance: str = ""
    flips: tuple[Mapping[str, Any], ...] = ()
    slices: tuple[Mapping[str, Any], ...] = ()
    write: StoredEntry | None = None
    candidate: StoredEntry | None = None
    baselines: str = ""
    baseline_model: str = ""
    charts: tuple[Mapping[str, Any], ...] = ()
    pictures: tuple[Mapping[str, Any], ...] = ()
    cached: bool = False

    @property
    def text(self) -> str:
        """Everything a failing item shows: the first line is its reason."""
        return f"{self.message}\n\n{self.detail}" if self.detail else self.message

    @property
    def title(self) -> str:
        """Model and dataset, and what tells the item from others of both: a tag or device."""
        own = f"{self.model}-{self.dataset}" if self.dataset else self.model
        item = self.id.rpartition("::")[2]
        return item if item.startswith(own) else own

    @property
    def measured(self) -> tuple[Mapping[str, Any], ...]:
        """The metrics that have a value, the one that decides first: that of which the message speaks."""
        known = [metric for metric in self.metrics if metric["value"] is not None]
        return tuple(sorted(known, key=self._severity))

    def _severity(self, metric: Mapping[str, Any]) -> tuple[bool, int]:
        told = any(check["reason"] and self.message.startswith(check["reason"]) for check in metric.get("checks", ()))
        verdict = metric["verdict"]
        return not told, -STATUSES.index(verdict) if verdict in STATUSES else 0

    def to_dict(self) -> dict[str, Any]:
        """Return this record as builtin types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Record:
        """Return the record that `to_dict` gave."""
        entries = {name: StoredEntry(**fields[name]) if fields[name] else None for name in ("write", "candidate")}
        lists = {name: tuple(fields[name]) for name in ("metrics", "changed", "flips", "slices", "charts", "pictures")}
        return cls(**{**fields, **lists, **entries})


RECORDS = pytest.StashKey[list[Record]]()
"""On an item: the records of the evaluations that it ran."""
