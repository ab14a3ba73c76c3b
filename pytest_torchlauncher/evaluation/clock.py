"""Wall-clock time by stage, measured around the loop so that the loop stays free of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import TypeVar

from ..types import Seconds

__all__ = ["Clock"]

T = TypeVar("T")


class Clock:
    """Adds up seconds under the names of `Seconds`; starts when it is made."""

    def __init__(self) -> None:
        self._start = perf_counter()
        self._spent: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def span(self, stage: str) -> Iterator[None]:
        """Count the time inside the block to `stage`."""
        start = perf_counter()
        try:
            yield
        finally:
            self._spent[stage] += perf_counter() - start

    def each(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """Yield `items`, counting the time that each takes to come to `stage`."""
        iterator = iter(items)
        while True:
            with self.span(stage):
                item = next(iterator, _END)
            if isinstance(item, _End):
                return
            yield item

    @contextmanager
    def entered(self, stage: str, context: AbstractContextManager[T]) -> Iterator[T]:
        """Enter `context`, counting the time that entering takes to `stage`."""
        with self.span(stage):
            value = context.__enter__()
        try:
            yield value
        except BaseException as error:
            if not context.__exit__(type(error), error, error.__traceback__):
                raise
        else:
            context.__exit__(None, None, None)

    def seconds(self) -> Seconds:
        """Return what was spent so far."""
        spent = {stage: self._spent[stage] for stage in ("build", "data", "forward", "metrics")}
        return Seconds(**spent, total=perf_counter() - self._start)


class _End:
    """Marks the end of an iterator, since None may be an item."""


_END = _End()
