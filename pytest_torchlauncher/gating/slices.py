"""Parts of a dataset that are judged by themselves, with Holm's correction for their number."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..gate import Slices
from ..types import Array
from .pairs import Paired
from .statistics import bootstrap_interval, bootstrap_mean_interval, holm, normal_p, paired_p, standard_error

__all__ = ["SliceResult", "sliced"]

_RESAMPLES = 400


@dataclass(frozen=True)
class SliceResult:
    """One slice: its metric before and now, and the probability that so large a drop below its margin is chance.

    Args:
        metric: its name.
        name: key and value: ``class seven``.
        n: how many samples it has.
        p_value: one-sided, after Holm's correction over the slices of the metric.
        verdict: ``pass`` or ``regressed``.
    """

    metric: str
    name: str
    n: int
    baseline: float
    value: float
    p_value: float
    verdict: str

    @property
    def delta(self) -> float:
        """Value - baseline, whatever the direction."""
        return self.value - self.baseline


def sliced(
    metric: str, pair: Paired, groups: Sequence[tuple[str, ...]], slices: Slices, alpha: float
) -> Sequence[SliceResult]:
    """Return every slice that is large enough, sorted by name.

    A slice regressed where its drop exceeds the margin by more than chance explains: by the paired test of the samples
    in it, its p-value adjusted by Holm's method over all slices of the metric; and where it has no value any more.

    Args:
        metric: its name.
        pair: the metric before and after; it can be resampled.
        groups: of each sample (N,).
        slices: how they are told apart and judged.
        alpha: one-sided error rate over all slices.
    """
    members = {n: positions for n, positions in _members(groups).items() if len(positions) >= slices.min_samples}
    adjusted = holm([_p_value(pair, positions, slices.margin, alpha) for positions in members.values()])
    results = []
    for (name, positions), p_value in zip(members.items(), adjusted, strict=True):
        before, after = pair.values(positions)
        vanished = math.isnan(after) and not math.isnan(before)
        verdict = "regressed" if vanished or p_value <= alpha else "pass"
        results.append(SliceResult(metric, f"{slices.by} {name}", len(positions), before, after, p_value, verdict))
    return results


def _members(groups: Sequence[tuple[str, ...]]) -> Mapping[str, Array]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for position, names in enumerate(groups):
        for name in names:
            found[name].append(position)
    return {name: np.array(found[name], dtype=np.int64) for name in sorted(found)}


def _p_value(pair: Paired, positions: Array, margin: float, alpha: float) -> float:
    """Return the one-sided p of the hypothesis that the slice did not drop by more than `margin`."""
    if pair.is_binary:
        lost, gained = (int(np.isin(flipped, positions).sum()) for flipped in (pair.lost, pair.gained))
        return paired_p(lost, gained, len(positions), margin)
    delta = pair.delta(positions)
    if pair.is_mean:
        changes = pair.changes[positions]
        interval = bootstrap_mean_interval(changes[~np.isnan(changes)], alpha)
    else:
        interval = bootstrap_interval(
            lambda drawn: pair.delta(positions[drawn]), len(positions), delta, alpha, resamples=_RESAMPLES
        )
    return normal_p(delta, standard_error(interval, alpha), margin)
