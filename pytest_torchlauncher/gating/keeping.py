"""What is kept of each sample beside a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..baselines.evidence import pack_evidence
from ..gate import Gate
from ..types import Array, Measurement, Outcomes

__all__ = ["DRAWN", "kept_outcomes"]

DRAWN = ":drawn"
"""Stands for the name of a metric before the drawings of predictions."""

_LARGEST = 4 << 20
"""Bytes of evidence, before compression, that a metric keeps whether or not its gate needs them."""


def kept_outcomes(measurement: Measurement, gates: Mapping[str, Gate]) -> Outcomes:
    """Return the outcomes of `measurement` with the evidence of its set metrics, and drawings of its predictions.

    Large evidence is kept only where the metric's gate resamples: with ``test: paired``, or with slices.
    """
    evidence = {**dict(_evidence(measurement, gates)), **_drawings(measurement)}
    return replace(measurement.outcomes, evidence=evidence)


def _drawings(measurement: Measurement) -> dict[str, Array]:
    arrays = pack_evidence(measurement.drawings) or {} if measurement.drawings else {}
    small = sum(array.nbytes for array in arrays.values()) <= _LARGEST
    return {f"{DRAWN}/{part}": array for part, array in arrays.items()} if small else {}


def _evidence(measurement: Measurement, gates: Mapping[str, Gate]) -> Iterator[tuple[str, Array]]:
    for name, kept in measurement.evidence.items():
        gate = gates.get(name, Gate())
        arrays = pack_evidence(kept.items) or {}
        if gate.is_paired or gate.slices or sum(array.nbytes for array in arrays.values()) <= _LARGEST:
            yield from ((f"{name}/{part}", array) for part, array in arrays.items())
