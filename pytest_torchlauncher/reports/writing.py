"""What records ask to be stored goes into baseline files, file by file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import BaselineError
from ..record import Record, StoredEntry

__all__ = ["by_file", "told_apart", "write_baselines", "write_entries"]


def write_baselines(records: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """Store what was recorded, updated or accepted.

    Returns:
        The records, those whose baseline was not written as errors, so that no report says ``recorded``, and the
        problems.
    """
    unwritten: dict[int, str] = {}
    for path, asking in by_file(records, lambda record: record.write).items():
        fit, clashing = told_apart([record.write for record in asking if record.write])
        problems = {id(record): _clash(asking, record) for record in asking if _key(record.write) in clashing}
        try:
            write_entries(path, fit)
        except (BaselineError, OSError) as error:
            problems = {id(record): f"baselines were not written: {error}" for record in asking} | problems
        unwritten |= problems
    return [_failed(record, unwritten.get(id(record))) for record in records], list(dict.fromkeys(unwritten.values()))


def by_file(records: Iterable[Record], entry: Callable[[Record], StoredEntry | None]) -> dict[Path, list[Record]]:
    """Return the records that have an `entry` by its baseline file, however its folder was reached."""
    files: dict[Path, list[Record]] = {}
    for record in records:
        if stored := entry(record):
            path = Path(stored.path)
            files.setdefault(path.parent.resolve() / path.name, []).append(record)
    return files


def told_apart(entries: Iterable[StoredEntry]) -> tuple[list[StoredEntry], set[str]]:
    """Return one entry for each key, and the keys under which entries differ."""
    keys: dict[str, list[StoredEntry]] = {}
    for entry in entries:
        keys.setdefault(_key(entry), []).append(entry)
    clashing = {key for key, group in keys.items() if len({_substance(entry) for entry in group}) > 1}
    return [group[0] for key, group in keys.items() if key not in clashing], clashing


def write_entries(path: Path, entries: Sequence[StoredEntry]) -> None:
    """Store `entries` in the baseline file `path`.

    Raises:
        BaselineError: the file cannot be read.
        OSError: it cannot be written.
    """
    from ..baselines.baseline import Baseline
    from ..baselines.store import Store

    pairs = [(Baseline.from_json(entry.entry), entry.outcome_bytes) for entry in entries]
    moving = [baseline.key for (baseline, _), entry in zip(pairs, entries, strict=True) if entry.moves_anchor]
    if pairs:
        Store(path).write(pairs, moving=moving)


def _key(entry: StoredEntry | None) -> str:
    return json.dumps(entry.entry["key"]) if entry else ""


def _substance(entry: StoredEntry) -> str:
    return json.dumps([entry.entry[part] for part in ("metrics", "outcomes", "data", "model")])


def _clash(asking: Iterable[Record], record: Record) -> str:
    ids = " and ".join(other.id for other in asking if _key(other.write) == _key(record.write))
    return f"{ids} measured different baselines under one key; give one of them a baseline of its own"


def _failed(record: Record, problem: str | None) -> Record:
    if problem is None:
        return record
    metrics = tuple({**metric, "verdict": "error", "checks": []} for metric in record.metrics)
    return replace(record, status="error", failed=True, message=problem, metrics=metrics)
