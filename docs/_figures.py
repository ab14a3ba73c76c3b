"""Figures of the pages, from the package's own statistics: python docs/_figures.py writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from pytest_torchlauncher.gating.statistics import paired_interval

FIGURES = Path(__file__).parent / "figures"
ALPHA, MARGIN = 0.05, 0.005
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 560, 300, 60, 20, 50
COLORS = ("#1257b0", "#b3560b", "#2a7f3f")


def figures() -> dict[str, str]:
    """Return the figures by their file names."""
    return {"who-fails.svg": who_fails(), "what-can-be-proven.svg": what_can_be_proven()}


def who_fails() -> str:
    """How often a gate with a margin of 0.5 points fails a model that is so much worse, 5,000 samples, 3 % flipped."""
    drops = [step / 2000 for step in range(41)]
    series = {
        "paired": [_chance(drop, 0.03, 5000, paired=True) for drop in drops],
        "point": [_chance(drop, 0.03, 5000, paired=False) for drop in drops],
    }
    return _chart(
        "Chance that a gate with a margin of 0.5 points fails a model, by its true drop",
        [100 * drop for drop in drops],
        series,
        ("true drop, points (5,000 samples, 3 % of them flip)", "fails"),
        (0, 2),
    )


def what_can_be_proven() -> str:
    """The smallest drop that a paired test proves with a power of 0.8, by the number of samples."""
    z = 1.6449 + 0.8416
    counts = [100 * 2**step for step in range(11)]
    series = {f"{psi:.0%} of samples flip": [100 * z * math.sqrt(psi / n) for n in counts] for psi in (0.02, 0.05, 0.1)}
    logs = [math.log2(count / 100) for count in counts]
    labels = {logs[i]: f"{counts[i]:,}" for i in (0, 3, 6, 10)}
    title = "Smallest drop that a paired test proves, by the number of samples"
    return _chart(title, logs, series, ("samples", "points"), (0, 8), labels)


def _chance(drop: float, flipped: float, n: int, *, paired: bool) -> float:
    """Return the exact chance of a failure, over all numbers of lost and gained samples that matter."""
    lost_rate, gained_rate = (flipped + drop) / 2, (flipped - drop) / 2
    total = 0.0
    for lost in _likely(n * lost_rate):
        for gained in _likely(n * gained_rate):
            fails = (gained - lost) / n < -MARGIN
            if paired and fails:
                fails = paired_interval(lost, gained, n, ALPHA).upper < -MARGIN
            if fails:
                total += _poisson(lost, n * lost_rate) * _poisson(gained, n * gained_rate)
    return total


def _likely(mean: float) -> range:
    spread = 5 * math.sqrt(mean) + 5
    return range(max(int(mean - spread), 0), int(mean + spread) + 1)


def _poisson(count: int, mean: float) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def _chart(
    title: str,
    xs: Sequence[float],
    series: dict[str, list[float]],
    axes: tuple[str, str],
    span: tuple[float, float],
    labels: dict[float, str] | None = None,
) -> str:
    top = 1.0 if axes[1] == "fails" else span[1]
    low, high = xs[0], xs[-1]

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - low) / (high - low) * (WIDTH - LEFT - 20)
        return across, HEIGHT - BOTTOM - min(y, top) / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        f"<title>{title}</title>",
        "<style>text{font:12px sans-serif;fill:#222}path{fill:none;stroke-width:2.5}",
        ".grid{stroke:#999;stroke-width:.5}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff" rx="6"/>',
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        (x0, y), (x1, _) = place(low, share * top), place(high, 0)
        text = f"{share:.0%}" if top == 1 else f"{share * top:g}"
        parts.append(f'<path class="grid" d="M{x0:.0f} {y:.1f}H{x1:.0f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for x, text in (labels or {value: f"{value:g}" for value in (0, 0.5, 1, 1.5, 2)}).items():
        parts.append(f'<text x="{place(x, 0)[0]:.0f}" y="{HEIGHT - 32}" text-anchor="middle">{text}</text>')
    for number, (name, ys) in enumerate(series.items()):
        points = "L".join("{:.1f} {:.1f}".format(*place(x, y)) for x, y in zip(xs, ys, strict=True))
        parts.append(f'<path stroke="{COLORS[number]}" d="M{points}"/>')
        parts.append(f'<text x="{LEFT + 12}" y="{TOP + 14 + 16 * number}" style="fill:{COLORS[number]}">{name}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{axes[0]}</text>')
    parts.append(f'<text x="8" y="14">{axes[1]}</text></svg>')
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    FIGURES.mkdir(exist_ok=True)
    for name, text in figures().items():
        (FIGURES / name).write_text(text, encoding="utf-8")
