"""What an evaluation finds out about itself: randomness, dependence on the batch, and a control that must fail."""

from __future__ import annotations

import copy
import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import LauncherError, NonFiniteError
from ..launcher.launcher import Launcher
from ..launcher.reproducible import SEED, reproducible
from ..plan import Evaluation
from ..types import (
    Annotation,
    Array,
    Batch,
    Boxes,
    Control,
    DatasetMeta,
    Identity,
    Label,
    MetricValue,
    Pair,
    Sample,
    Text,
)
from .ledger import summarized
from .observation import annotation_digest, observed

__all__ = ["Probe"]

_SAMPLES = 64
_SIZES = (1, 7, _SAMPLES)
"""Batch sizes beside the evaluation's own; 7 leaves a batch that is not full."""
_TOLERANCE = {"fp32": 1e-3, "fp64": 1e-3}
_LOW_PRECISION_TOLERANCE = 5e-2
"""Allowed difference of outputs, relative to the largest: other batch sizes take other kernels."""
_FEW = 0.05
"""The share of samples whose class ids or numbers of detections may differ: a tie, a score at the threshold."""
_FREE = (Label, Text, Boxes, Identity)
"""Annotations that can stand for each other whatever their images' sizes."""


class Probe:
    """Keeps the 64 samples whose identifiers have the smallest hashes, and runs them again in other ways."""

    def __init__(self, evaluation: Evaluation, meta: DatasetMeta) -> None:
        self._evaluation = evaluation
        self._meta = meta
        self._kept: list[tuple[int, int, Pair]] = []
        self._seen = 0

    def keep(self, pairs: Sequence[Pair]) -> None:
        """Look at the next samples with their predictions."""
        for pair in pairs:
            # A heap of the negated hashes has the largest kept one on top; positions tell equal ones apart.
            rank = -_rank(pair.sample.identifier)
            self._seen += 1
            if len(self._kept) < _SAMPLES or rank > self._kept[0][0]:
                # A prediction is a part of its batch's outputs, which would stay with it.
                own = replace(pair, prediction=copy.deepcopy(pair.prediction))
                push = heapq.heappush if len(self._kept) < _SAMPLES else heapq.heapreplace
                push(self._kept, (rank, self._seen, own))

    @property
    def _pairs(self) -> list[Pair]:
        return [pair for _, _, pair in sorted(self._kept, key=lambda kept: kept[1])]

    def findings(self, launcher: Launcher) -> tuple[str, ...]:
        """Return what is wrong with how the module runs, a sentence each."""
        return tuple(self._findings(launcher))

    def control(self) -> Control | None:
        """Return the metrics over the kept samples with their own annotations, and with those of other samples.

        None is returned where no two of them can change places, or no metric measures so few samples.
        """
        pairs = self._pairs
        permuted = [replace(p, annotation=other) for p, other in zip(pairs, _permuted(pairs), strict=True)]
        if all(one.annotation is other.annotation for one, other in zip(pairs, permuted, strict=True)):
            return None
        own, wrong = self._values(pairs), self._values(permuted)
        both = own.keys() & wrong.keys()
        if not both:
            return None
        return Control(len(pairs), {n: v for n, v in own.items() if n in both}, {n: wrong[n] for n in both})

    def _values(self, pairs: Sequence[Pair]) -> dict[str, MetricValue]:
        """Return the value of each metric that has one over `pairs`."""
        values = {}
        for spec in self._evaluation.metrics:
            try:
                values[spec.name] = summarized(spec, observed(spec, pairs), self._meta)
            except LauncherError:
                continue
        return values

    def _findings(self, launcher: Launcher) -> Iterator[str]:
        if training := launcher.in_training():
            verb = "is" if len(training) == 1 else "are"
            yield (
                f"{', '.join(training[:3])} {verb} in training mode after the run: a forgotten eval(); leave the mode "
                "to the launcher"
            )
        rerun = _Rerun(launcher, self._meta, [pair.sample for pair in self._pairs], self._evaluation.batch)
        if finding := rerun.finding():
            yield finding


@dataclass(frozen=True)
class _Rerun:
    """Runs samples again in batches of the evaluation's `batch` and of other sizes."""

    launcher: Launcher
    meta: DatasetMeta
    samples: Sequence[Sample]
    batch: int

    def finding(self) -> str | None:
        """Return the first thing that is wrong with how the module runs, if anything is."""
        own = min(self.batch, len(self.samples))
        # A module may take batches of its size only, so that the last one must be full.
        whole = self.samples[: len(self.samples) // own * own]
        try:
            first, second = self._outputs(whole, own), self._outputs(whole, own, SEED + 1)
        except LauncherError:
            return None
        if difference := self._difference(first, second):
            return f"{difference} in a second run: something is random in evaluation, such as a forgotten eval()"
        for size in sorted({min(size, len(whole)) for size in _SIZES} - {own}):
            if finding := self._of_size(first, whole, size, own):
                return finding
        return None

    def _of_size(self, first: _Outputs, samples: Sequence[Sample], size: int, own: int) -> str | None:
        try:
            difference = self._difference(first, self._outputs(samples, size))
        except NonFiniteError as error:
            return f"outputs are {error.kind} in batches of {size} instead of {own}, from {error.identifier} on"
        # A module that refuses other batches depends on nothing in them.
        except LauncherError:
            return None
        if difference is None:
            return None
        return (
            f"{difference} in batches of {size} instead of {own}: a result depends on the samples beside it, as with "
            "batch statistics or padding to the largest"
        )

    def _outputs(self, samples: Sequence[Sample], size: int, seed: int = SEED) -> _Outputs:
        """Return those outputs that have an entry a sample in every batch."""
        batches = [tuple(samples[start : start + size]) for start in range(0, len(samples), size)]
        with reproducible(seed):
            parts = [(len(batch), self.launcher.predict(Batch(batch, self.meta))) for batch in batches]
        names = [name for name in parts[0][1] if all(_has_entries(outputs[name], n) for n, outputs in parts)]
        return {name: [entry for _, outputs in parts for entry in outputs[name]] for name in names}

    def _difference(self, first: _Outputs, second: _Outputs) -> str | None:
        """Return how the sample that differs most differs; None where all agree."""
        allowed = _TOLERANCE.get(self.launcher.provenance(self.batch).precision, _LOW_PRECISION_TOLERANCE)
        for name in first.keys() & second.keys():
            gaps = _gaps(first[name], second[name])
            other = np.isinf(gaps)
            worst = int(np.argmax(np.where(other, -1, gaps)))
            if other.sum() > max(1, _FEW * len(gaps)):
                identifier = self.samples[int(np.argmax(other))].identifier
                return f"the outputs of {int(other.sum())} samples, the first is {identifier}, are others"
            if not other[worst] and gaps[worst] > allowed:
                return f"the outputs of {self.samples[worst].identifier} differ by {gaps[worst]:.2%} of the largest"
        return None


_Outputs = Mapping[str, Sequence[Any]]
"""By name, an entry a sample."""


def _rank(identifier: str) -> int:
    return int(hashlib.sha256(identifier.encode(errors="surrogateescape")).hexdigest()[:16], 16)


def _has_entries(output: Any, count: int) -> bool:
    """Return whether `output` has an entry for each of `count` samples."""
    return isinstance(output, tuple) or (np.ndim(output) > 0 and len(output) == count)


def _gaps(first: Sequence[Array], second: Sequence[Array]) -> Array:
    """Return by sample (N,) the largest difference relative to the largest value of all.

    It is infinite where class ids, or the numbers of what was found, are others.
    """
    scale = max((float(np.abs(one).max()) for one in first if np.size(one)), default=0.0) or 1.0
    gaps = np.zeros(len(first))
    for index, (one, other) in enumerate(zip(first, second, strict=True)):
        if np.shape(one) != np.shape(other):
            gaps[index] = np.inf
        elif np.asarray(one).dtype.kind != "f":
            gaps[index] = 0.0 if np.array_equal(one, other) else np.inf
        elif np.size(one):
            gaps[index] = np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).max() / scale
    return gaps


def _permuted(pairs: Sequence[Pair]) -> list[Annotation]:
    """Return the annotations of `pairs` in another order, as many of them changed as can be.

    Those about pixels change places among images of one size only.
    """
    groups: defaultdict[Any, list[int]] = defaultdict(list)
    for index, pair in enumerate(pairs):
        groups[_form(pair)].append(index)
    permuted = [pair.annotation for pair in pairs]
    for places in groups.values():
        alike = sorted(places, key=lambda place: annotation_digest(pairs[place].annotation))
        # Half way round in the order of their content, equal ones rarely meet.
        for place, other in zip(alike, [*alike[len(alike) // 2 :], *alike[: len(alike) // 2]], strict=True):
            if annotation_digest(pairs[place].annotation) != annotation_digest(pairs[other].annotation):
                permuted[place] = pairs[other].annotation
    return permuted


def _form(pair: Pair) -> Any:
    """Return what two samples must share so that their annotations can stand for each other."""
    annotation = pair.annotation
    if isinstance(annotation, _FREE):
        return type(annotation)
    values = getattr(annotation, "values", getattr(annotation, "labels", None))
    return type(annotation), pair.sample.original_size, getattr(values, "shape", None)
