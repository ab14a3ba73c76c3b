"""Embeddings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import Array, Batch, Embedding, Outputs, Prediction
from ._rows import rows

__all__ = ["Reid"]

_GRN_BIAS = 1e-6


@register("reid")
@dataclass(frozen=True, kw_only=True)
class Reid(Adapter):
    """A row of an output a sample as its embedding.

    Args:
        grn_workaround: whether to divide by sqrt(sum of squares + 1e-6) along the first axis of a row, which makes
            a vector one of length 1.
        joining_method: accepted; there is one embedding a sample, and none to join it with.
        target_out: name of the output or a regular expression for it; the first by default.
        keep_shape: whether a row keeps its shape, else it becomes a vector.
        mean_pooling: whether to average first over the first axis of a row, that of the tokens.
    """

    grn_workaround: bool = True
    joining_method: Literal["sum", "concatenation"] = "sum"
    target_out: str | None = None
    keep_shape: bool = False
    mean_pooling: bool = False

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: `target_out` is no regular expression.
        """
        try:
            re.compile(self.target_out or "")
        except re.error as error:
            raise ValueError(f"target_out: {self.target_out!r} is no regular expression: {error}") from None

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the `Embedding` of each sample, float64.

        Raises:
            OutputError: no such output, not one row a sample, or a row without an axis to average over.
        """
        output = outputs.select(self.target_out)
        return [Embedding(self._embedding(row)) for row in rows(output, len(batch.samples))]

    def _embedding(self, row: Array) -> Array:
        values = np.atleast_1d(row).astype(np.float64)
        if self.mean_pooling:
            if values.ndim < 2:
                raise OutputError(f"{values.shape} found for a sample, (tokens, numbers) expected by mean_pooling")
            values = values.mean(axis=0)
        if self.grn_workaround:
            values = values / np.sqrt((values**2).sum(axis=0) + _GRN_BIAS)
        return values if self.keep_shape else values.reshape(-1)
