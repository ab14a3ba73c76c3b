"""Whole pytest processes in turn."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

__all__ = ["in_turns", "pytest_seconds", "row"]


def pytest_seconds(project: Path, *arguments: str, plugin: bool = True) -> float:
    """Return how long pytest takes in `project`; of all plugins that are installed this one is loaded, or none.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    own = ["-p", "pytest_torchlauncher.plugin"] if plugin else []
    command = [sys.executable, "-m", "pytest", "-q", *own, "-p", "no:cacheprovider", *arguments]
    start = perf_counter()
    subprocess.run(command, cwd=project, env=environment, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def in_turns(sides: Sequence[Callable[[], float]], pairs: int) -> list[list[float]]:
    """Return the figures of each side, of `pairs` rounds A B A B …, after one that does not count."""
    rounds = [[side() for side in sides] for _ in range(pairs + 1)][1:]
    return [list(figures) for figures in zip(*rounds, strict=True)]


def row(name: str, sides: Sequence[Callable[[], float]], pairs: int, goal: str) -> str:
    """Return a line of the table: medians in seconds; of the ratios of neighbours median, least and largest."""
    ours, others = in_turns(sides, pairs)
    ratios = [one / other for one, other in zip(ours, others, strict=True)]
    figures = f"{median(ours):.2f} | {median(others):.2f} | {median(ratios):.2f} | {min(ratios):.2f}..{max(ratios):.2f}"
    return f"| {name} | {figures} | {goal} |"
