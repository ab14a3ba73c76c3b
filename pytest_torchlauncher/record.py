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
    "skipped",
    "regressed",
    "missing_baseline",
    "stale_baseline",
    "error",
)


@dataclass(frozen=True)
class StoredEntry:
    """What the controller is to write: an entry of the baseline file `path` and the packed outcomes, in base64."""

    path: str
    entry: Mapping[str, Any]
    outcomes: str

    @classmethod
    def of(cls, path: str, entry: Mapping[str, Any], outcomes: bytes) -> StoredEntry:
        """Return the entry with `outcomes` made fit to travel as text."""
        return cls(path, entry, base64.b64encode(outcomes).decode("ascii"))

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
        write: what the controller is to store, if anything.
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
    write: StoredEntry | None = None

    @property
    def text(self) -> str:
        """Everything a failing item shows: the first line is its reason."""
        return f"{self.message}\n\n{self.detail}" if self.detail else self.message

    def to_dict(self) -> dict[str, Any]:
        """Return this record as builtin types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Record:
        """Return the record that `to_dict` gave."""
        write = fields["write"]
        lists = {name: tuple(fields[name]) for name in ("metrics", "changed")}
        return cls(**{**fields, **lists, "write": StoredEntry(**write) if write else None})


RECORDS = pytest.StashKey[list[Record]]()
"""On an item: the records of the evaluations that it ran."""
