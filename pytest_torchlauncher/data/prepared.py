"""The samples of a dataset on their way to the model: read and preprocessed ahead, on threads, in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

from ..cores import cores
from ..kinds import Preprocessor
from ..options import Component
from ..types import Data, Levels, Sample, Size
from .ahead import Ahead
from .batches import stepped, suited
from .chance import draws

__all__ = ["ByPosition", "Share", "made_anew", "prepared"]

T = TypeVar("T")
Samples = Sequence[Sample]
Steps = Sequence[Component[Preprocessor]]

_CHUNK = 8
"""Samples that a thread makes at a time: fewer cost more in passing them on."""
_AHEAD = 512
"""Samples that are made ahead at most."""
_BYTES = 64 << 20
"""What the samples made ahead may take; of larger ones fewer are made ahead, and fewer at a time."""


@runtime_checkable
class ByPosition(Protocol):
    """Samples that any thread may read, in any order."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int) -> Sample: ...


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

    Samples that can be read by position are read on the threads too, and from the start. Others come from the user's
    own code: they are read where the iterator is used, since nobody knows whether threads may. What draws random
    numbers runs there as a whole.

    Args:
        samples: as they are read.
        steps: in their order.
        input_size: of the model's image input, where the launcher states it.
        share: what others may have made of samples that can be read by position.
        batch: how many of them go through the model together.

    Raises:
        DataError: a step does not suit `input_size`; in the iterator: a sample cannot be read, or a step cannot take
            it.
    """
    steps = suited(steps, input_size)
    if not isinstance(samples, ByPosition):
        yield _given(iter(samples), steps, batch)
        return

    def made(position: int) -> Sample:
        return stepped(samples[position], steps)

    kept: list[Sample] = []
    if not len(samples) or draws(lambda: kept.append(made(0))):
        yield map(made, range(len(samples)))
        return
    chunk, depth = _amounts(kept)
    positions = (range(start, min(start + chunk, len(samples))) for start in range(0, len(samples), chunk))
    jobs = (partial(share, f"{chosen.start}-{chosen.stop}", _job(made, chosen)) for chosen in positions)
    with Ahead(jobs, depth, cores(), _trial(batch, chunk)) as ahead:
        yield itertools.chain.from_iterable(ahead)


def _given(samples: Iterator[Sample], steps: Steps, batch: int) -> Iterator[Sample]:
    """Yield the samples of user code after `steps`."""

    def made(sample: Sample) -> Sample:
        return stepped(sample, steps)

    kept: list[Sample] = []
    first = list(itertools.islice(samples, 1 if steps else 0))
    samples = itertools.chain(first, samples)
    if not first or draws(lambda: kept.append(made(first[0]))):
        yield from map(made, samples)
        return
    chunk, depth = _amounts(kept)
    chunks = iter(lambda: tuple(itertools.islice(samples, chunk)), ())
    with Ahead((_job(made, chosen) for chosen in chunks), depth, cores(), _trial(batch, chunk)) as ahead:
        yield from itertools.chain.from_iterable(ahead)


def _trial(batch: int, chunk: int) -> int:
    """Return how many chunks go into three batches, at least three."""
    return 3 * max(-(-batch // chunk), 1)


def _job(made: Callable[[T], Sample], items: Iterable[T]) -> Callable[[], Samples]:
    return lambda: [made(item) for item in items]


def _amounts(samples: Samples) -> tuple[int, int]:
    """Return how many samples a job makes and how many jobs are ahead, where all samples are as large as these."""
    size = max((_size(sample.data) for sample in samples), default=_BYTES) or 1
    ahead = min(_AHEAD, _BYTES // size)
    chunk = min(max(ahead // 8, 1), _CHUNK)
    return chunk, max(ahead // chunk, 2)


def _size(data: Data) -> int:
    """Return how many bytes `data` takes."""
    if isinstance(data, Mapping | tuple):
        return sum(map(_size, data.values() if isinstance(data, Mapping) else data))
    return int((data.levels if isinstance(data, Levels) else data).nbytes)
