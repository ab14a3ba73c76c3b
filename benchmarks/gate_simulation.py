"""How often the paired gate fails pairs of models: where it must not, and where it must. Seeded."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pytest_torchlauncher.gating.statistics import bootstrap_mean_interval, paired_interval

PAIRS = 1000
ALPHA = 0.05
Z = NormalDist().inv_cdf(1 - ALPHA)
BOUND = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / PAIRS)
"""What at most fails where the gate must not: alpha and three standard errors of the simulation."""


@dataclass(frozen=True)
class Rates:
    """The fractions of pairs that fail the paired gate, a point gate and an unpaired one-tailed test."""

    paired: float
    point: float
    unpaired: float


def simulated(n: int, discordance: float, drop: float, margin: float, pairs: int = PAIRS, seed: int = 0) -> Rates:
    """Return how often gates fail pairs of models over `n` samples.

    Args:
        n: samples of each pair.
        discordance: the chance that a sample is right in one model and wrong in the other.
        drop: how much less often the second model is right.
        margin: of the gates.
        pairs: how many are drawn.
        seed: of the drawing.
    """
    chances = [(discordance + drop) / 2, (discordance - drop) / 2, 1 - discordance]
    tables = np.random.default_rng(seed).multinomial(n, chances, pairs)
    paired = point = unpaired = 0
    for lost, gained, _ in tables.tolist():
        paired += paired_interval(lost, gained, n, ALPHA).upper < -margin - 1e-9
        point += (gained - lost) / n < -margin - 1e-9
        # Both models right about nine times in ten: the variance that a test without pairs must assume.
        unpaired += (gained - lost) / n < -margin - Z * math.sqrt(2 * 0.9 * 0.1 / n)
    return Rates(paired / pairs, point / pairs, unpaired / pairs)


def samples_for_twice(margin: float, discordance: float) -> int:
    """Return n = ((z_alpha + z_beta) √ψ / m)², of which twice the margin m is proven 19 times in 20."""
    return math.ceil((2 * Z * math.sqrt(discordance) / margin) ** 2)


def continuous(
    draw: Callable[[np.random.Generator, int], NDArray[np.float64]], n: int, margin: float, drop: float
) -> float:
    """Return how often the bootstrap of `n` differences, drawn around 0 and lowered by `drop`, fails."""
    generator = np.random.default_rng(0)
    failed = 0
    for _ in range(PAIRS):
        interval = bootstrap_mean_interval(draw(generator, n) - drop, ALPHA, resamples=400)
        failed += interval.upper < -margin - 1e-9
    return failed / PAIRS


def normal(generator: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Return differences of which most are alike."""
    return generator.normal(0, 0.1, n)


def skewed(generator: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Return differences with a long tail of losses."""
    return 0.1 - generator.exponential(0.1, n)


def told(rate: float, *, at_most: float | None = None, at_least: float | None = None) -> str:
    """Return a cell of the table with what the rate must be."""
    good = (at_most is None or rate <= at_most) and (at_least is None or rate >= at_least)
    return f"{rate:.1%}{'' if good else ' (missed)'}"


def main() -> None:
    """Print three tables."""
    print(f"fails where it must not, at most {BOUND:.2%}:\n")
    print("| samples | ψ | margin | true drop | paired | point gate |\n|---|---|---|---|---|---|")
    cells = [(n, psi, m) for n in (200, 2000, 10_000) for psi in (0.02, 0.05, 0.1) for m in (0.0, 0.005, 0.01, 0.02)]
    for n, psi, margin in cells:
        if margin <= psi:
            rates = simulated(n, psi, margin, margin)
            print(
                f"| {n} | {psi:.0%} | {margin} | {margin} | {told(rates.paired, at_most=BOUND)} | {rates.point:.1%} |"
            )
    print("\nfails where it must, at least 95 %:\n")
    print("| samples | ψ | margin | true drop | paired | unpaired test |\n|---|---|---|---|---|---|")
    for psi in (0.02, 0.05, 0.1):
        for margin in (0.0025, 0.005, 0.01):
            if 2 * margin <= psi:
                n = samples_for_twice(margin, psi)
                rates = simulated(n, psi, 2 * margin, margin)
                cell = told(rates.paired, at_least=0.95)
                print(f"| {n} | {psi:.0%} | {margin} | {2 * margin} | {cell} | {rates.unpaired:.1%} |")
    print(f"\ncontinuous scores, bootstrap, 500 samples, true drop equal to the margin, at most {BOUND:.2%}:\n")
    print("| differences | margin | paired |\n|---|---|---|")
    for draw in (normal, skewed):
        for margin in (0.0, 0.01):
            print(f"| {draw.__name__} | {margin} | {told(continuous(draw, 500, margin, margin), at_most=BOUND)} |")


if __name__ == "__main__":
    main()
