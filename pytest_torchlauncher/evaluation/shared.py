"""What the evaluations of a run have in common: modules, and datasets with their preprocessed samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from ..data.prepared import Share, made_anew
from ..data.shelf import Shelf
from ..data.stored import open_stored
from ..launcher.kept import Models
from ..plan import Amount, Evaluation
from ..types import Dataset, Sample

__all__ = ["Shared"]


class Shared:
    """Makes once what several evaluations need, and lets go of it after the last of them.

    Args:
        needs: the evaluations that are to come; what only one of them needs is not kept.
        shelf: where samples are kept.
        limit: how many samples of each dataset are measured.
    """

    def __init__(
        self, needs: Iterable[Evaluation] = (), shelf: Shelf | None = None, limit: Amount | None = None
    ) -> None:
        evaluations = list(needs)
        self._limit = limit
        self._shelf = shelf or Shelf()
        self._needs = Counter(key for evaluation in evaluations if (key := self._chain(evaluation)))
        self._several = {key for key, count in self._needs.items() if count > 1}
        self._datasets: dict[str, Dataset] = {}
        self.models = Models(evaluation.launcher for evaluation in evaluations)

    def opened(self, evaluation: Evaluation) -> Dataset:
        """Return the stored dataset of `evaluation`.

        Raises:
            MissingDataError, DataError: as `open_stored`.
        """
        key = self._chain(evaluation)
        if key not in self._several:
            return open_stored(evaluation.dataset, self._limit)
        if key not in self._datasets:
            self._datasets[key] = open_stored(evaluation.dataset, self._limit)
        return self._datasets[key]

    def share(self, evaluation: Evaluation) -> Share:
        """Return how the preprocessed samples of `evaluation` are had."""
        key = self._chain(evaluation)
        return partial(self._samples, key) if key in self._several else made_anew

    def _samples(self, key: str, part: str, make: Callable[[], Sequence[Sample]]) -> Sequence[Sample]:
        return self._shelf.samples(key, part, make)

    def done(self, evaluation: Evaluation) -> None:
        """Note that `evaluation` needs nothing any more."""
        key = self._chain(evaluation)
        self._needs[key] -= 1
        if self._needs[key] < 1:
            self._datasets.pop(key, None)
            self._shelf.forget(key)

    def close(self) -> None:
        """Let go of everything."""
        self._datasets.clear()
        self._shelf.close()

    def _chain(self, evaluation: Evaluation) -> str:
        """Return all that the preprocessed samples of `evaluation` depend on, as text; empty where nobody can tell."""
        spec = evaluation.dataset
        if spec.fixture is not None:
            return ""
        text = repr((replace(spec, name="", batch=None, postprocessing=()), evaluation.input_size, self._limit))
        # Objects of user code that do not say what they are: others may stand at the same address.
        return "" if " at 0x" in text else text
