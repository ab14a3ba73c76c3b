"""Texts by connectionist temporal classification, the most probable of those that a beam keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from ..errors import OutputError
from ..options import PositiveInt
from ..registry import register
from ..types import Array, Batch, DatasetMeta, Outputs, Prediction, Text
from ._text import CtcDecoder, spelled

__all__ = ["BeamSearchDecoder"]

Prefix: TypeAlias = tuple[int, ...]


@register("beam_search_decoder")
@dataclass(frozen=True, kw_only=True)
class BeamSearchDecoder(CtcDecoder):
    """The text that prefix beam search finds, without a language model.

    Hannun et al., First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs,
    2014, algorithm 1.

    Args:
        beam_size: how many prefixes are kept at every step.
        blank_label: index of the blank; that of the dataset by default, the one after all symbols where
            `custom_label_map` or `vocabulary_file` names them.
        softmaxed_probabilities: whether the model gives probabilities, else logits or their logarithms.
    """

    beam_size: PositiveInt = 10
    blank_label: Annotated[int, Field(ge=0)] | None = None
    softmaxed_probabilities: bool = False

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the `Text` of each sample.

        Raises:
            OutputError: no such output, another shape, a blank or symbol that the other side lacks, or what is no
                probability.
        """
        symbols = self.symbols(batch.meta)
        steps = self._logarithms(self.steps(outputs, batch).astype(np.float64))
        blank = self._blank(symbols, batch.meta, steps.shape[2])
        return [Text("".join(spelled(_searched(row, blank, self.beam_size), symbols))) for row in steps]

    def _blank(self, symbols: Mapping[int, str], meta: DatasetMeta, classes: int) -> int:
        of_dataset = None if self.own_symbols else meta.blank_label
        blank = next((label for label in (self.blank_label, of_dataset) if label is not None), len(symbols))
        if blank >= classes:
            raise OutputError(
                f"the blank has index {blank} for an output with {classes} classes; set blank_label, from 0 to "
                f"{classes - 1}"
            )
        return blank

    def _logarithms(self, steps: Array) -> Array:
        """Return logarithms of the probabilities, up to a number a step, which no comparison of texts sees."""
        if not self.softmaxed_probabilities:
            return steps
        if steps.min() < 0:
            raise OutputError(f"{steps.min():g} found, probabilities expected by softmaxed_probabilities")
        logarithms: Array = np.log(np.maximum(steps, np.finfo(np.float64).tiny))
        return logarithms


def _searched(steps: Array, blank: int, size: int) -> Prefix:
    """Return the most probable text of `steps` (T, C), logarithms of probabilities."""
    prefixes: list[Prefix] = [()]
    ends = np.array([[0.0, -np.inf]])
    for scores in steps:
        prefixes, ends = _step(prefixes, ends, scores, blank, size)
    return prefixes[0]


def _step(prefixes: list[Prefix], ends: Array, scores: Array, blank: int, size: int) -> tuple[list[Prefix], Array]:
    """Return the best prefixes after a step with `scores` (C,), and how probable they are, the best first.

    `ends` (K, 2) has the logarithms of the probabilities that a path of the prefix ends in a blank, and in its last
    symbol.
    """
    last = np.array([prefix[-1] if prefix else blank for prefix in prefixes])
    whole = np.logaddexp(ends[:, 0], ends[:, 1])
    kept = np.stack([whole + scores[blank], ends[:, 1] + scores[last]], axis=1)
    grown = whole[:, np.newaxis] + scores
    # Only after a blank a repeated symbol is another one.
    grown[np.arange(len(prefixes)), last] = ends[:, 0] + scores[last]
    grown[:, blank] = -np.inf
    _merge(prefixes, kept, grown)
    return _best(prefixes, kept, grown, size)


def _merge(prefixes: list[Prefix], kept: Array, grown: Array) -> None:
    """Add to the prefixes in `kept` (K, 2) the paths in `grown` (K, C) that lead to them, and take them from there."""
    places = {prefix: place for place, prefix in enumerate(prefixes)}
    for place, prefix in enumerate(prefixes):
        parent = places.get(prefix[:-1]) if prefix else None
        if parent is not None:
            kept[place, 1] = np.logaddexp(kept[place, 1], grown[parent, prefix[-1]])
            grown[parent, prefix[-1]] = -np.inf


def _best(prefixes: list[Prefix], kept: Array, grown: Array, size: int) -> tuple[list[Prefix], Array]:
    """Return the `size` most probable of the prefixes in `kept` (K, 2) and `grown` (K, C)."""
    ends = np.concatenate([kept, np.stack([np.full(grown.size, -np.inf), grown.ravel()], axis=1)])
    whole = np.logaddexp(ends[:, 0], ends[:, 1])
    best = [place for place in np.argsort(-whole, kind="stable")[:size] if whole[place] > -np.inf]
    count, classes = grown.shape
    named = [
        prefixes[place] if place < count else (*prefixes[(place - count) // classes], int((place - count) % classes))
        for place in best
    ]
    return named, ends[best]
