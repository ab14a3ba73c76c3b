"""What is made ahead on threads comes in its order, whoever is ready first."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from time import perf_counter
from typing import Generic, TypeVar

from .pace import Pace

__all__ = ["Ahead"]

T = TypeVar("T")


class Ahead(AbstractContextManager["Ahead[T]"], Generic[T]):
    """Iterates over the results of `jobs` in their order; threads begin with the first ones at once.

    While somebody waits for a result, all workers make some; what they do beside somebody who works follows what is
    measured, see `Pace`. Results do not depend on it.

    An exception of a job is raised as soon as the next result is asked for, before results of earlier jobs; of several
    that of the first job.

    Args:
        jobs: taken one by one, on the thread that iterates.
        depth: how many results at most are there, or being made, at a time.
        workers: how many jobs at most run at a time.
        trial: over how many results each way is measured.
    """

    def __init__(self, jobs: Iterable[Callable[[], T]], depth: int, workers: int, trial: int = 4) -> None:
        self._jobs = iter(jobs)
        self._depth = max(depth, 1)
        self._workers = max(workers, 1)
        self._pace = Pace(self._workers, trial)
        self._running = 0
        # A core is left to whoever has other things to do before the first result is asked for.
        self._allowed = max(self._workers - 1, 1)
        self._turn = threading.Condition()
        self._pool = ThreadPoolExecutor(self._workers, "torchlauncher-data")
        self._made: deque[Future[T]] = deque()
        self._submit()

    def __exit__(self, *error: object) -> None:
        for made in self._made:
            made.cancel()
        self._allow(self._workers)
        self._pool.shutdown(wait=True)

    def __iter__(self) -> Iterator[T]:
        while self._made:
            self._allow(self._workers)
            self._raise_first()
            result = self._made.popleft().result()
            self._submit()
            beside = self._pace.beside()
            self._allow(beside)
            is_working = not all(made.done() for made in self._made)
            start = perf_counter()
            yield result
            if is_working:
                self._pace.worked(beside, perf_counter() - start)

    def _allow(self, count: int) -> None:
        with self._turn:
            self._allowed = count
            self._turn.notify_all()

    def _submit(self) -> None:
        for job in itertools.islice(self._jobs, self._depth - len(self._made)):
            self._made.append(self._pool.submit(self._done, job))

    def _done(self, job: Callable[[], T]) -> T:
        """Return the result of `job`, which waits until one more may run."""
        with self._turn:
            self._turn.wait_for(lambda: self._running < self._allowed)
            self._running += 1
        start = perf_counter()
        try:
            return job()
        finally:
            self._pace.made(perf_counter() - start)
            with self._turn:
                self._running -= 1
                self._turn.notify()

    def _raise_first(self) -> None:
        failed = (place for place, made in enumerate(self._made) if made.done() and made.exception())
        # Those before it may fail as well, and the first is to be told, whichever thread is faster.
        for made in itertools.islice(self._made, next(failed, -1) + 1):
            made.result()
