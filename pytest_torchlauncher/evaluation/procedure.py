"""How an evaluation is run beyond its launcher file: on a part of the data, again, with a check of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..plan import Amount
from ..types import Array, Measurement, Stop

__all__ = ["PLAIN", "Procedure", "Progress", "Watch"]


class Watch(Protocol):
    """Decides after each batch whether the rest of an evaluation can still change its verdict."""

    metrics: Sequence[str]

    def seen(self, ids: Sequence[str], digests: Array, outcomes: dict[str, Array], total: int | None) -> Stop | None:
        """Return why the evaluation may end, if it may.

        Args:
            ids: identifiers of the next samples, in the order of the evaluation.
            digests: uint32 (B,) of their contents and annotations.
            outcomes: of each of `metrics`, what each of these samples scores alone (B,).
            total: how many samples the dataset has; None where nobody knows.
        """


class Progress(Protocol):
    """Is told after each batch how far an evaluation is."""

    def seen(self, count: int, total: int | None, running: Callable[[], tuple[str, float] | None]) -> None:
        """Note `count` more samples.

        Args:
            count: how many.
            total: how many the dataset has; None where nobody knows.
            running: gives name and value of the first metric over the samples so far, None where that costs too much.
        """


@dataclass(frozen=True)
class Procedure:
    """How an evaluation is run.

    Args:
        limit: how many of the samples are measured; all of them by default.
        reruns: how often the whole dataset is measured again, with other seeds.
        selfcheck: whether the evaluation checks itself.
        groups: keys of the samples' metadata, or ``class``, by which samples are told apart.
        watch: what may end the evaluation early.
        progress: is told how far it is.
        shown: gives the positions of the samples of which a report wants a picture.
    """

    limit: Amount | None = None
    reruns: int = 0
    selfcheck: bool = False
    groups: tuple[str, ...] = ()
    watch: Watch | None = None
    progress: Progress | None = None
    shown: Callable[[Measurement], Sequence[int]] | None = None


PLAIN = Procedure()
"""The whole dataset, once."""
