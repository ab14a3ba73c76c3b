"""Paired statistics of two models on the same samples. Differences are oriented so that positive is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ..types import Array

__all__ = [
    "Interval",
    "bootstrap_interval",
    "bootstrap_mean_interval",
    "holm",
    "mcnemar",
    "normal_p",
    "paired_interval",
    "paired_p",
    "samples_needed",
    "smallest_drop",
    "standard_error",
]

_NORMAL = NormalDist()
_SCORE_BELOW = 25
_CONTINUITY = 0.5
"""Counts are whole numbers: without it a true drop of the margin fails in up to 7.3 % of small samples, not in 5 %."""
_TOLERANCE = 1e-9
_CHUNK = 4_000_000
"""Positions that are drawn at once, to bound memory."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference with its one-sided 1 - alpha bounds."""

    delta: float
    lower: float
    upper: float


def mcnemar(lost: int, gained: int) -> float:
    """Return the exact one-sided p of McNemar's test: that at least `lost` of all that differ are lost by chance.

    It is P(X >= lost) for X ~ Bin(lost + gained, 1/2), and 1 where nothing differs (McNemar 1947).
    """
    n = lost + gained
    if 2 * lost <= n:
        return 1.0 - _upper_tail(n, gained + 1)
    return _upper_tail(n, lost)


def _upper_tail(n: int, k: int) -> float:
    """Return P(X >= k) for X ~ Bin(n, 1/2), where k lies above the middle, so that the terms only fall."""
    if k > n:
        return 0.0
    term = math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2))
    total = term
    while k < n and term > total * 1e-18:
        term *= (n - k) / (k + 1)
        total += term
        k += 1
    return min(total, 1.0)


def paired_interval(lost: int, gained: int, n: int, alpha: float) -> Interval:
    """Return the interval of the difference between two proportions of the same `n` samples.

    With 25 or more samples that differ it is Wald's, with fewer Tango's score interval (Statistics in Medicine 17,
    1998) with a continuity correction of one half.

    Args:
        lost: samples that were right and are wrong now.
        gained: samples that were wrong and are right now.
        n: all samples.
        alpha: error rate of each bound.
    """
    delta, z = (gained - lost) / n, _NORMAL.inv_cdf(1 - alpha)
    if lost + gained >= _SCORE_BELOW:
        error = math.sqrt(max(lost + gained - (lost - gained) ** 2 / n, 0.0)) / n
        return Interval(delta, delta - z * error, delta + z * error)
    return Interval(delta, -_score_bound(lost, gained, n, -z), -_score_bound(lost, gained, n, z))


def _score_bound(lost: int, gained: int, n: int, z: float) -> float:
    """Return the loss at which the score statistic, which falls as the loss rises, is `z`."""
    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _score(lost, gained, n, middle) > z else (low, middle)
    return (low + high) / 2


def _score(lost: int, gained: int, n: int, loss: float) -> float:
    """Return Tango's statistic of the hypothesis that the proportion lost less the one gained is `loss`, corrected."""
    b = (2 * n - lost + gained) * loss - lost - gained
    c = -gained * loss * (1 - loss)
    nuisance = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * nuisance + loss * (1 - loss))
    gap = lost - gained - n * loss
    difference = math.copysign(max(abs(gap) - _CONTINUITY, 0.0), gap)
    if variance <= 0:
        return math.copysign(math.inf, difference) if difference else 0.0
    return difference / math.sqrt(variance)


def paired_p(lost: int, gained: int, n: int, margin: float) -> float:
    """Return the one-sided p of the hypothesis that the true drop is at most `margin`.

    It is McNemar's exact one for a margin of 0, else that of Tango's score test.
    """
    if margin == 0:
        return mcnemar(lost, gained)
    return 1.0 if margin >= 1 else 1 - _NORMAL.cdf(_score(lost, gained, n, margin))


def bootstrap_interval(
    statistic: Callable[[Array], float], n: int, delta: float, alpha: float, *, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Return the percentile interval of a difference over resampled samples (Efron 1979).

    Args:
        statistic: the difference over the samples at positions (n,) int64, which repeat; NaN where it has no value.
        n: how many samples there are.
        delta: the difference over all of them.
        alpha: error rate of each bound.
        resamples: how many are drawn.
        seed: of the drawing.
    """
    generator = np.random.default_rng(seed)
    values = np.array([statistic(generator.integers(0, n, n)) for _ in range(resamples)])
    return _percentiles(values, delta, alpha)


def bootstrap_mean_interval(differences: Array, alpha: float, *, resamples: int = 2000, seed: int = 0) -> Interval:
    """Return the interval that `bootstrap_interval` gives for the mean of `differences` (n,); of none, no bounds."""
    if not len(differences):
        return Interval(math.nan, -math.inf, math.inf)
    generator, n = np.random.default_rng(seed), len(differences)
    rows = max(_CHUNK // max(n, 1), 1)
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    means = [differences[generator.integers(0, n, (size, n))].mean(axis=1) for size in sizes]
    return _percentiles(np.concatenate(means), float(differences.mean()), alpha)


def _percentiles(values: Array, delta: float, alpha: float) -> Interval:
    known = values[~np.isnan(values)]
    if not known.size:
        return Interval(delta, -math.inf, math.inf)
    lower, upper = np.percentile(known, [alpha * 100, (1 - alpha) * 100])
    return Interval(delta, float(lower), float(upper))


def standard_error(interval: Interval, alpha: float) -> float:
    """Return the standard error that an `interval` of bounds 1 - `alpha` stands for."""
    return (interval.upper - interval.lower) / (2 * _NORMAL.inv_cdf(1 - alpha))


def normal_p(delta: float, error: float, margin: float) -> float:
    """Return the one-sided p of the hypothesis that the true drop is at most `margin`, by the standard `error`."""
    if not error > 0:
        return 0.0 if delta < -margin - _TOLERANCE else 1.0
    return _NORMAL.cdf((delta + margin) / error)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for their number, in the order given (Holm 1979); NaN, no evidence, counts as 1."""
    p_values = [1.0 if math.isnan(p_value) else p_value for p_value in p_values]
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(order) - rank)))
        adjusted[index] = highest
    return adjusted


def samples_needed(drop: float, discordance: float, alpha: float, beta: float = 0.2) -> int:
    """Return how many samples prove a true `drop` with the power 1 - `beta` (Connor, Biometrics 43, 1987).

    Args:
        drop: of the proportion, more than 0.
        discordance: the fraction of samples that differ; at least `drop`.
        alpha: one-sided error rate.
        beta: how often the drop may be missed.
    """
    z_alpha, z_beta = _NORMAL.inv_cdf(1 - alpha), _NORMAL.inv_cdf(1 - beta)
    psi = max(discordance, drop)
    return math.ceil(((z_alpha * math.sqrt(psi) + z_beta * math.sqrt(psi - drop**2)) / drop) ** 2)


def smallest_drop(n: int, discordance: float, alpha: float, beta: float = 0.2) -> float:
    """Return the smallest drop that `n` samples prove with the power 1 - `beta`; at most 1."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if samples_needed(middle, discordance, alpha, beta) <= n else (middle, high)
    return high
