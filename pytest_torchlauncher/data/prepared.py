"""The samples of a dataset on their way to the model: read and preprocessed ahead, on threads, in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TypeVar

from ..cores import cores
from ..kinds import Preprocessor
from ..options import Component
from ..types import Data, Levels, Sample, Size
from .ahead import Ahead
from .batches import stepped, suited
from .stored import StoredSamples

__all__ = ["Share", "made_anew", "prepared"]

T = TypeVar("T")
Samples = Sequence[Sample]
Steps = Sequence[Component[Preprocessor]]

_CHUNK = 4
"""Samples that a thread makes at a time: fewer cost more in passing them on."""
_AHEAD = 512
"""Samples that are made ahead at most."""
_BYTES = 64 << 20
"""What the samples made ahead may take."""

Share = Callable[[str, Callable[[], Samples]], Samples]
"""Returns a part of the samples by its name, and makes them where nobody has."""


def made_anew(part: str, make: Callable[[], Samples]) -> Samples:
    """Return what `make` gives: nobody else has it."""
    return make()


@contextmanager
def prepared(
    samples: Iterable[Sample],
    steps: Steps,
    input_size: Size | None = None,
    share: Share = made_anew,
    batch: int = 1,
) -> Iterator[Iterator[Sample]]:
    """Give an iterator over the samples after all `steps`, in order; threads are at work inside the block.

    Stored samples are read on the threads too, and from the start. What runs user code is read, or goes through the
    steps, where the iterator is used, one after the other, unless that code says that threads may run it.

    Args:
        samples: as they are read.
        steps: in their order.
        input_size: of the model's image input, where the launcher states it.
        share: what others may have made of stored samples.
        batch: how many of them go through the model together.

    Raises:
        DataError: a step does not suit `input_size`; in the iterator: a sample cannot be read, or a step cannot take
            it.
    """
    steps = suited(steps, input_size)
    is_stored = isinstance(samples, StoredSamples) and samples.on_threads
    trial = 3 * max(-(-batch // _CHUNK), 1)
    if not all(step.block.on_threads for step in steps) or not (steps or is_stored):
        yield (stepped(sample, steps) for sample in samples)
    elif isinstance(samples, StoredSamples) and is_stored:
        with _ahead(_stored_jobs(samples, steps, share), trial) as ahead:
            yield itertools.chain.from_iterable(ahead)
    else:
        with closing(_given(iter(samples), steps, trial)) as given:
            yield given


def _stored_jobs(samples: StoredSamples, steps: Steps, share: Share) -> Iterator[Callable[[], Samples]]:
    def made(position: int) -> Sample:
        return stepped(samples[position], steps)

    count = len(samples)
    for start in range(0, count, _CHUNK):
        positions = range(start, min(start + _CHUNK, count))
        yield partial(share, f"{start}-{positions.stop}", _job(made, positions))


def _given(samples: Iterator[Sample], steps: Steps, trial: int) -> Generator[Sample, None, None]:
    """Yield the samples of user code, which is run here, after `steps`."""
    chunks = iter(lambda: tuple(itertools.islice(samples, _CHUNK)), ())
    with _ahead((_job(lambda sample: stepped(sample, steps), chunk) for chunk in chunks), trial) as ahead:
        yield from itertools.chain.from_iterable(ahead)


def _ahead(jobs: Iterable[Callable[[], Samples]], trial: int) -> Ahead[Samples]:
    return Ahead(jobs, _AHEAD // _CHUNK, cores(), trial, _weight, _BYTES)


def _job(made: Callable[[T], Sample], items: Iterable[T]) -> Callable[[], Samples]:
    return lambda: [made(item) for item in items]


def _weight(samples: Samples) -> int:
    return sum(_size(sample.data) for sample in samples)


def _size(data: Data) -> int:
    """Return how many bytes `data` takes."""
    if isinstance(data, Mapping | tuple):
        return sum(map(_size, data.values() if isinstance(data, Mapping) else data))
    return int((data.levels if isinstance(data, Levels) else data).nbytes)
