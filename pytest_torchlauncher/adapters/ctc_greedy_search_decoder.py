"""Texts by connectionist temporal classification, the best symbol of every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ..registry import register
from ..types import Array, Batch, Outputs, Prediction, Text
from ._text import CtcDecoder, spelled

__all__ = ["CtcGreedySearchDecoder"]


@register("ctc_greedy_search_decoder")
@dataclass(frozen=True, kw_only=True)
class CtcGreedySearchDecoder(CtcDecoder):
    """The symbol with the highest score of every step, repeated ones once, without blanks: best path decoding.

    Graves et al., Connectionist Temporal Classification, ICML 2006, section 3.2.

    Args:
        blank_label: index of the blank.
        shift_labels: whether symbols begin at index 0 without the blank, so that each has one more in the output.
    """

    blank_label: Annotated[int, Field(ge=0)] = 0
    shift_labels: bool = False

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the `Text` of each sample.

        Raises:
            OutputError: no such output, another shape, or an index has no symbol.
        """
        symbols = self.symbols(batch.meta)
        rows = self.steps(outputs, batch).argmax(axis=2)
        return [Text("".join(spelled(self._best_path(row) - self.shift_labels, symbols))) for row in rows]

    def _best_path(self, indices: Array) -> Array:
        """Return `indices` (T,) without repetitions and blanks."""
        begins = np.append(True, indices[1:] != indices[:-1])
        path: Array = indices[begins & (indices != self.blank_label)]
        return path
