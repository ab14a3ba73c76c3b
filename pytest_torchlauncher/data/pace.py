"""Whether threads work beside somebody who works, or in the breaks: as it turns out to be faster."""

from __future__ import annotations

from statistics import mean, median

__all__ = ["Pace"]


class Pace:
    """Decides how many jobs run while somebody works with the last result.

    On a device of its own that work is not disturbed. On the same cores it may take many times as long, since torch's
    threads wait for each other and one of them always lacks a core. So both ways are tried, and jobs run beside the
    work where they delay it by less than it takes to make a result in a break, on all cores.

    Args:
        workers: how many jobs run at most.
        trial: over how many results each way is measured.
    """

    def __init__(self, workers: int, trial: int) -> None:
        self._workers = workers
        self._trial = max(trial, 1)
        self._work: dict[int, list[float]] = {workers: [], 0: []}
        self._jobs: list[float] = []
        self._chosen: int | None = None

    def beside(self) -> int:
        """Return how many jobs may run beside the work that comes."""
        untried = (count for count, seconds in self._work.items() if len(seconds) < self._trial)
        if self._chosen is None and (count := next(untried, None)) is not None:
            return count
        if self._chosen is None:
            self._chosen = self._faster()
        return self._chosen

    def worked(self, beside: int, seconds: float) -> None:
        """Note what the work with a result took while `beside` jobs might run."""
        if self._chosen is None:
            self._work[beside].append(seconds)

    def made(self, seconds: float) -> None:
        """Note what a job took."""
        if self._chosen is None:
            self._jobs.append(seconds)

    def _faster(self) -> int:
        delay = mean(self._work[self._workers]) - mean(self._work[0])
        # Jobs took longer beside the work, by which the break would be overrated: half of them did not.
        return self._workers if delay < median(self._jobs) / self._workers else 0
