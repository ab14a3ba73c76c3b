"""What is made ahead on threads comes in its order, whoever is ready first."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

__all__ = ["Ahead"]

T = TypeVar("T")


class Ahead(AbstractContextManager["Ahead[T]"], Generic[T]):
    """Iterates over the results of `jobs` in their order; threads begin with the first ones at once.

    How many jobs run at a time follows what is measured: one fewer each time that a result was there when it was asked
    for, since threads then take cores from whom they work for; one more each time that it was not. Results do not
    depend on it.

    An exception of a job is raised as soon as the next result is asked for, before results of earlier jobs; of several
    that of the first job.

    Args:
        jobs: taken one by one, on the thread that iterates.
        depth: how many results at most are there, or being made, at a time.
        workers: how many jobs at most run at a time.
    """

    def __init__(self, jobs: Iterable[Callable[[], T]], depth: int, workers: int) -> None:
        self._jobs = iter(jobs)
        self._depth = max(depth, 1)
        self._most = max(workers, 1)
        self._allowed = max(self._most - 1, 1)  # a core is left to whoever waits for nothing yet
        self._running = 0
        self._turn = threading.Condition()
        self._pool = ThreadPoolExecutor(self._most, "torchlauncher-data")
        self._made: deque[Future[T]] = deque()
        self._submit()

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __iter__(self) -> Iterator[T]:
        while self._made:
            self._raise_first()
            first = self._made[0]
            self._adapt(waits=not first.done())
            result = first.result()
            self._made.popleft()
            self._submit()
            yield result

    def _adapt(self, *, waits: bool) -> None:
        with self._turn:
            self._allowed = min(self._allowed + 1, self._most) if waits else max(self._allowed - 1, 1)
            self._turn.notify_all()

    def _submit(self) -> None:
        for job in itertools.islice(self._jobs, self._depth - len(self._made)):
            self._made.append(self._pool.submit(self._done, job))

    def _done(self, job: Callable[[], T]) -> T:
        """Return the result of `job`, which waits until one more may run."""
        with self._turn:
            self._turn.wait_for(lambda: self._running < self._allowed)
            self._running += 1
        try:
            return job()
        finally:
            with self._turn:
                self._running -= 1
                self._turn.notify()

    def _raise_first(self) -> None:
        failed = (place for place, made in enumerate(self._made) if made.done() and made.exception())
        # Those before it may fail as well, and the first is to be told, whichever thread is faster.
        for made in itertools.islice(self._made, next(failed, -1) + 1):
            made.result()
