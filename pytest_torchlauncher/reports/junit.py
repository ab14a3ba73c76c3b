"""Results as properties of a test, which JUnit XML lists beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..record import Record

__all__ = ["properties"]

_FACTS = ("status", "model", "dataset", "device", "samples")
_NUMBERS = {"": "value", ".baseline": "baseline", ".delta": "delta"}
_NO_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Compiled when it is needed: that takes a third of what importing the plugin does."""


def properties(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Return names and values: ``launcher.status``, ``launcher.metric.top1``, ``launcher.metric.top1.baseline``.

    Where a test has several records, their place among them comes behind ``launcher``: ``launcher.2.status``.
    """
    several = len(records) > 1
    found = (
        pair
        for place, record in enumerate(records, 1)
        for pair in _properties(record, f"launcher.{place}" if several else "launcher")
    )
    # pytest escapes what XML forbids in values, and not in names.
    return [(_fit(name), _fit(value)) for name, value in found]


def _fit(text: str) -> str:
    return re.sub(_NO_XML, "\ufffd", text)


def _properties(record: Record, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield what is known, numbers at full precision."""
    for fact in _FACTS:
        if (value := getattr(record, fact)) != "":
            yield f"{prefix}.{fact}", str(value)
    for metric in record.metrics:
        name = f"{prefix}.metric.{metric['name']}"
        for suffix, key in _NUMBERS.items():
            if metric[key] is not None:
                yield f"{name}{suffix}", repr(float(metric[key]))
        yield f"{name}.verdict", metric["verdict"]
