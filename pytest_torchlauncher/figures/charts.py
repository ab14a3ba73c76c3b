"""Charts of an evaluation: which classes are taken for which, curves, and how outcomes are distributed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..baselines.evidence import unpack_evidence
from ..types import Array, Measurement, Outcomes

__all__ = ["charts"]

_CLASSES = 20
"""Rows of a confusion matrix; of more classes those with the most errors are shown."""
_BINS = 24


def charts(measurement: Measurement, before: Outcomes | None) -> Iterator[Mapping[str, Any]]:
    """Yield the charts of `measurement`, a mapping with its ``kind`` each, beside the outcomes of its baseline.

    Raises:
        BaselineError: stored evidence is damaged.
    """
    columns = measurement.outcomes.columns
    if {"label", "prediction"} <= set(columns):
        yield _confusion(columns["label"], columns["prediction"], measurement.classes)
    drawn: dict[str, Mapping[str, Any]] = {}
    for name in measurement.metrics:
        if curves := _curves(name, measurement, before):
            # Metrics that match alike have the same curves.
            same = drawn.get(repr(curves))
            drawn[repr(curves)] = {
                "kind": "curves",
                "metric": f"{same['metric']}, {name}" if same else name,
                "curves": curves,
            }
        elif (column := columns.get(f"metric:{name}")) is not None and not np.isin(column, (0, 1)).all():
            yield from _histogram(name, column, before.columns.get(f"metric:{name}") if before else None)
    yield from drawn.values()


def _confusion(labels: Array, predictions: Array, names: Mapping[int, str]) -> Mapping[str, Any]:
    """Return the counts of annotated (rows) and predicted classes (columns)."""
    classes = np.union1d(labels, predictions)
    wrong = labels != predictions
    errors = {label: int((wrong & ((labels == label) | (predictions == label))).sum()) for label in classes}
    shown = sorted(sorted(classes, key=lambda label: (-errors[label], label))[:_CLASSES])
    counts = [[int(((labels == row) & (predictions == column)).sum()) for column in shown] for row in shown]
    titles = [names.get(int(label), str(label)) for label in shown]
    return {"kind": "confusion", "classes": titles, "counts": counts, "left_out": len(classes) - len(shown)}


def _stored(name: str, before: Outcomes | None) -> Sequence[Any]:
    prefix = f"{name}/"
    parts = (
        {}
        if before is None
        else {k.removeprefix(prefix): v for k, v in before.evidence.items() if k.startswith(prefix)}
    )
    return unpack_evidence(parts) if parts else ()


def _curves(name: str, measurement: Measurement, before: Outcomes | None) -> list[Mapping[str, Any]]:
    """Return the curves of a metric, those of its baseline behind the first; none where it has none."""
    evidence = measurement.evidence.get(name)
    if evidence is None:
        return []
    listed = [(title, curve, False) for title, curve in evidence.curves(evidence.items).items()]
    if listed and (stored := _stored(name, before)):
        first = list(evidence.curves(stored).items())[:1]
        listed += [(f"baseline, {title}", curve, True) for title, curve in first]
    return [{"name": t, "x": _rounded(c.x), "y": _rounded(c.y), "is_baseline": old} for t, c, old in listed]


def _histogram(name: str, column: Array, stored: Array | None) -> Iterator[Mapping[str, Any]]:
    now = column[np.isfinite(column)].astype(np.float64)
    old = np.zeros(0) if stored is None else stored[np.isfinite(stored)].astype(np.float64)
    both = np.concatenate([now, old])
    if not now.size or both.min() == both.max():
        return
    edges = np.histogram_bin_edges(both, bins=_BINS)
    counts = {key: np.histogram(values, edges)[0].tolist() for key, values in (("now", now), ("before", old))}
    yield {"kind": "histogram", "metric": name, "edges": [float(edge) for edge in edges], **counts}


def _rounded(values: Array) -> list[float]:
    return [round(float(value), 4) for value in values]
