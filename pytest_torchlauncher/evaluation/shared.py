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
from ..reads import Reads, is_recording, recording, repeated
from ..types import Dataset, Sample

__all__ = ["Shared"]

_DATASETS = 4
"""Datasets whose annotations stay at a time."""


class Shared:
    """Makes once what several evaluations need, and lets go of it after the last of them.

    Args:
        needs: the evaluations that are to come; what only one of them needs is not kept.
        shelf: where samples are kept.
        limit: how many samples of each dataset are measured.

    Attributes:
        data: the files of all datasets so far, where it is recorded what is read.
    """

    def __init__(
        self, needs: Iterable[Evaluation] = (), shelf: Shelf | None = None, limit: Amount | None = None
    ) -> None:
        evaluations = list(needs)
        self._limit = limit
        self.data: set[str] = set()
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
        if not self._is_shared(evaluation):
            dataset, reads = self._opened(evaluation)
            self.data |= reads.files
            return dataset
        if key not in self._datasets:
            self._datasets[key] = self._opened(evaluation)
            # Among workers nobody knows which of them needs it last.
            while len(self._datasets) > _DATASETS:
                del self._datasets[next(iter(self._datasets))]
        dataset, reads = self._datasets[key]
        self.data |= reads.files
        repeated(reads)
        return dataset

    def _opened(self, evaluation: Evaluation) -> tuple[Dataset, Reads]:
        """Return the dataset, and what is read for its samples, whichever evaluation or process reads them."""
        with recording(part=True) as reads:
            dataset = open_stored(evaluation.dataset, self._limit)
        if is_recording() and isinstance(dataset.samples, StoredSamples):
            reads.files.update(str(file.absolute()) for file in dataset.samples.files())
        return dataset, reads

    def share(self, evaluation: Evaluation) -> Share:
        """Return how the preprocessed samples of `evaluation` are had."""
        key = self._chain(evaluation)
        return partial(self._samples, key) if self._is_shared(evaluation) else made_anew

    def _is_shared(self, evaluation: Evaluation) -> bool:
        """Return whether another evaluation needs the same samples, and they are the same whoever makes them."""
        spec = evaluation.dataset
        made_by = [spec.annotation_conversion, spec.reader, *(spec.preprocessing or ())]
        is_same = all(component.block.on_threads for component in made_by if component)
        return is_same and self._chain(evaluation) in self._several

    def _samples(self, key: str, part: str, make: Callable[[], Sequence[Sample]]) -> Sequence[Sample]:
        return self._shelf.samples(key, part, make)

    def done(self, evaluation: Evaluation) -> None:
        """Note that `evaluation` needs nothing any more."""
        self.models.done(evaluation.launcher)
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
