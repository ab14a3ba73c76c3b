"""``--launcher-json``: all results of a run at full precision."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..record import Record
from ..whole_files import write_whole

__all__ = ["VERSION", "write_json"]

VERSION = 1
"""Of the format, which `results.schema.json` describes."""
_NOT_SHOWN = (
    "index",
    "charts",
    "pictures",
    "environment",
    "write",
    "candidate",
    "baselines",
    "baseline_model",
    "detail",
)


def write_json(path: Path, records: Sequence[Record]) -> None:
    """Write `records` to `path`, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    environment = next((record.environment for record in records if record.environment), {})
    report = {"schema": VERSION, "environment": environment, "evaluations": [_evaluation(record) for record in records]}
    write_whole(path, json.dumps(_finite(report), indent=2, allow_nan=False) + "\n")


def _evaluation(record: Record) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record) if f.name not in _NOT_SHOWN}


def _finite(value: Any) -> Any:
    """Return `value` with null for numbers that JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
