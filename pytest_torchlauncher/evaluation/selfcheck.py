"""What an evaluation finds out about itself: randomness, dependence on the batch, and a control that must fail."""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import LauncherError
from ..launcher.launcher import Launcher
from ..launcher.reproducible import SEED, reproducible
from ..plan import Evaluation
from ..types import Annotation, Array, Batch, Control, DatasetMeta, MetricValue, Outputs, Pair, Sample
from .ledger import summarized
from .observation import observed

__all__ = ["Probe"]

_SAMPLES = 64
_SIZES = (1, 7, _SAMPLES)
"""Batch sizes beside the evaluation's own; 7 leaves a batch that is not full."""
_TOLERANCE = {"fp32": 1e-3}
_LOW_PRECISION_TOLERANCE = 5e-2
"""Allowed difference of outputs, relative to the largest: other batch sizes take other kernels."""


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
            heapq.heappush(self._kept, (-_rank(pair.sample.identifier), self._seen, pair))
            self._seen += 1
            if len(self._kept) > _SAMPLES:
                heapq.heappop(self._kept)

    @property
    def _pairs(self) -> list[Pair]:
        return [pair for _, _, pair in sorted(self._kept, key=lambda kept: kept[1])]

    def findings(self, launcher: Launcher) -> tuple[str, ...]:
        """Return what is wrong with how the module runs, a sentence each."""
        return tuple(self._findings(launcher))

    def control(self) -> Control:
        """Return the metrics over the kept samples with their own annotations, and with those of other samples."""
        pairs = self._pairs
        annotations = _permuted([pair.annotation for pair in pairs])
        permuted = [replace(pair, annotation=other) for pair, other in zip(pairs, annotations, strict=True)]
        return Control(len(pairs), self._values(pairs), self._values(permuted))

    def _values(self, pairs: Sequence[Pair]) -> dict[str, MetricValue]:
        specs = self._evaluation.metrics
        return {spec.name: summarized(spec, observed(spec, pairs), self._meta) for spec in specs}

    def _findings(self, launcher: Launcher) -> Iterator[str]:
        if training := launcher.in_training():
            yield (
                f"{', '.join(training[:3])} {'is' if len(training) == 1 else 'are'} in training mode after the run: a "
                "forgotten eval(); leave the mode to the launcher"
            )
        samples = [pair.sample for pair in self._pairs]
        own = min(self._evaluation.batch, len(samples))
        first = self._outputs(launcher, samples, own)
        if difference := self._difference(first, self._outputs(launcher, samples, own, SEED + 1), samples):
            yield f"{difference} in a second run: something is random in evaluation, such as a forgotten eval()"
            return
        for size in sorted({min(size, len(samples)) for size in _SIZES} - {own}):
            # A module that refuses other batches depends on nothing in them.
            try:
                other = self._outputs(launcher, samples, size)
            except LauncherError:
                continue
            if difference := self._difference(first, other, samples):
                yield (
                    f"{difference} in batches of {size} instead of {own}: a result depends on the samples beside it, "
                    "as with batch statistics or padding to the largest"
                )
                return

    def _outputs(self, launcher: Launcher, samples: Sequence[Sample], size: int, seed: int = SEED) -> list[list[Array]]:
        """Return all outputs of each sample."""
        found: list[list[Array]] = []
        with reproducible(seed):
            for start in range(0, len(samples), size):
                part = tuple(samples[start : start + size])
                found += _by_sample(launcher.predict(Batch(part, self._meta)), len(part))
        return found

    def _difference(self, first: list[list[Array]], second: list[list[Array]], samples: Sequence[Sample]) -> str | None:
        """Return how the outputs of the sample that differs most differ; None where they agree."""
        allowed = _TOLERANCE.get(self._evaluation.launcher.precision or "fp32", _LOW_PRECISION_TOLERANCE)
        gaps = [_gap(*outputs) for outputs in zip(first, second, strict=True)]
        worst = int(np.argmax(gaps))
        if gaps[worst] <= allowed:
            return None
        share = "in their shapes" if np.isinf(gaps[worst]) else f"by {gaps[worst]:.2%} of the largest"
        return f"the outputs of {samples[worst].identifier} differ {share}"


def _rank(identifier: str) -> int:
    return int(hashlib.sha256(identifier.encode(errors="surrogateescape")).hexdigest()[:16], 16)


def _by_sample(outputs: Outputs, count: int) -> list[list[Array]]:
    entries = [outputs.by_sample(name) for name in outputs]
    return [[entry[index] for entry in entries if len(entry) == count] for index in range(count)]


def _gap(first: Sequence[Array], second: Sequence[Array]) -> float:
    """Return the largest difference relative to the largest output; infinity where shapes differ."""
    largest = 0.0
    for one, other in zip(first, second, strict=True):
        if one.shape != other.shape:
            return np.inf
        if one.size:
            one, other = one.astype(np.float64), other.astype(np.float64)
            largest = max(largest, float(np.abs(one - other).max() / (np.abs(one).max() or 1.0)))
    return largest


def _permuted(annotations: Sequence[Annotation]) -> list[Annotation]:
    """Return `annotations` in another order; those of arrays change places with those of the same shapes only."""
    groups: defaultdict[Any, list[int]] = defaultdict(list)
    for index, annotation in enumerate(annotations):
        groups[_form(annotation)].append(index)
    permuted = list(annotations)
    generator = np.random.default_rng(SEED)
    for places in groups.values():
        for place, other in zip(places, generator.permutation(places), strict=True):
            permuted[place] = annotations[other]
    return permuted


def _form(annotation: Annotation) -> Any:
    """Return what two annotations must share to stand for each other: of masks and images the size."""
    labels = getattr(annotation, "labels", None)
    values = labels if getattr(labels, "ndim", 0) > 1 else getattr(annotation, "values", None)
    return type(annotation), getattr(values, "shape", None)
