"""What is made ahead on threads comes in its order, whoever is ready first."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from time import perf_counter
from typing import Generic, TypeVar

from .pace import Pace

__all__ = ["Ahead"]

T = TypeVar("T")

_PATIENCE = 1.0
"""Seconds that are left to running jobs where an exception ends the block: one that hangs must not hold it up."""


def _nothing(result: object) -> int:
    return 0


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
        weigh: how many bytes a result takes.
        budget: no job is begun while results take more, but for the next one.
    """

    def __init__(
        self,
        jobs: Iterable[Callable[[], T]],
        depth: int,
        workers: int,
        trial: int = 4,
        weigh: Callable[[T], int] = _nothing,
        budget: int = 0,
    ) -> None:
        self._jobs = iter(jobs)
        self._depth = max(depth, 1)
        self._workers = max(workers, 1)
        self._weigh, self._budget = weigh, budget
        self._pace = Pace(self._workers, trial)
        # A core is left to whoever has other things to do before the first result is asked for.
        self._allowed = max(self._workers - 1, 1)
        self._running = self._held = 0
        self._is_over = False
        self._turn = threading.Condition()
        self._made: deque[Future[T]] = deque()
        self._waiting: deque[tuple[Future[T], Callable[[], T]]] = deque()
        self._submit()
        # Daemons: a job that hangs must not keep the process from ending.
        names = [f"torchlauncher-data-{number}" for number in range(self._workers)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        with self._turn:
            self._is_over = True
            self._turn.notify_all()
        for thread in self._threads:
            thread.join(None if kind is None else _PATIENCE)

    def __iter__(self) -> Iterator[T]:
        while self._made:
            self._allow(self._workers)
            self._raise_first()
            result = self._made[0].result()
            with self._turn:
                self._made.popleft()
                self._held -= self._weigh(result)
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
            future: Future[T] = Future()
            with self._turn:
                self._made.append(future)
                self._waiting.append((future, job))
                self._turn.notify_all()

    def _work(self) -> None:
        """Do jobs until the block is over."""
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._is_over or self._may_begin())
                if self._is_over:
                    return
                future, job = self._waiting.popleft()
                self._running += 1
            start = perf_counter()
            try:
                result = job()
                self._pace.made(perf_counter() - start)
                with self._turn:
                    self._held += self._weigh(result)
                future.set_result(result)
            except BaseException as error:  # whoever asks for the result meets it
                future.set_exception(error)
            with self._turn:
                self._running -= 1
                self._turn.notify_all()

    def _may_begin(self) -> bool:
        if not self._waiting or self._running >= self._allowed:
            return False
        is_next = self._waiting[0][0] is self._made[0]
        return is_next or self._held <= self._budget

    def _raise_first(self) -> None:
        failed = (place for place, made in enumerate(self._made) if made.done() and made.exception())
        # Those before it may fail as well, and the first is to be told, whichever thread is faster.
        for made in itertools.islice(self._made, next(failed, -1) + 1):
            made.result()
