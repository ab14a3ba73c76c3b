"""What the evaluations of a run have in common: modules, and datasets with their preprocessed samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from ..data.prepared import Share, made_anew
from ..data.shelf import Shelf
from ..data.stored import StoredSamples, open_stored
from ..launcher.kept import Models
from ..plan import Amount, Evaluation
from ..reads import Reads, recording, repeated
from ..types import Dataset, Sample

__all__ = ["Shared"]

_OWN = f"{__name__.partition('.')[0]}."
"""What the modules of this package begin with: others may read anything."""


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
        self._datasets: dict[str, tuple[Dataset, Reads]] = {}
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
            with recording(part=True) as reads:
                dataset = open_stored(evaluation.dataset, self._limit)
            self._datasets[key] = dataset, reads
        dataset, reads = self._datasets[key]
        repeated(reads)
        repeated(_reads_of(evaluation, dataset))
        return dataset

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


def _reads_of(evaluation: Evaluation, dataset: Dataset) -> Reads:
    """Return what is read for the samples, though another evaluation, or another process, may have done it."""
    reads, spec = Reads(), evaluation.dataset
    if isinstance(dataset.samples, StoredSamples):
        reads.files.update(str(file.absolute()) for file in dataset.samples.files())
    blocks = [component.block for component in (spec.reader, *(spec.preprocessing or ())) if component]
    reads.unclear.update(type(block).__name__ for block in blocks if not type(block).__module__.startswith(_OWN))
    return reads
