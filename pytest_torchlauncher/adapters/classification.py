"""Class scores or class indices of a classifier."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import Array, Batch, Label, Outputs, Prediction, Scores
from ._activations import softmax

__all__ = ["Classification"]


@register("classification")
@dataclass(frozen=True, kw_only=True)
class Classification(Adapter):
    """One row of an output a sample: scores over the classes, or the class itself.

    Args:
        argmax_output: whether the output holds a class index a sample.
        fixed_output: whether the class index stands in column `fixed_output_index` of the output.
        fixed_output_index: that column, from 0.
        classification_output: name of the output or a regular expression for it; the first by default.
        do_softmax: whether to turn scores into probabilities; the ranking stays the same.
        label_as_array: accepted; a class index is one number here either way.
    """

    argmax_output: bool = False
    fixed_output: bool = False
    fixed_output_index: Annotated[int, Field(ge=0)] = 0
    classification_output: str | None = None
    do_softmax: bool = False
    label_as_array: bool = False

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: two of them contradict, or one is no regular expression.
        """
        if self.argmax_output and self.fixed_output:
            raise ValueError("argmax_output and fixed_output found, only one of them expected")
        try:
            re.compile(self.classification_output or "")
        except re.error as error:
            raise ValueError(
                f"classification_output: {self.classification_output!r} is no regular expression: {error}"
            ) from None

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return `Scores` (C,) or a `Label` of each sample.

        Raises:
            OutputError: no such output, not one row a sample, or class indices that are not whole numbers.
        """
        rows = _rows(outputs.select(self.classification_output), len(batch.samples))
        if self.argmax_output or self.fixed_output:
            return _labels(self._class_indices(rows))
        return [Scores(row) for row in (softmax(rows, axis=1) if self.do_softmax else rows)]

    def _class_indices(self, rows: Array) -> Array:
        """Return the column (B,) of `rows` (B, C) that holds the class indices."""
        if self.argmax_output and rows.shape[1] > 1:
            raise OutputError(
                f"{rows.shape[1]} values a sample found, one class index expected; if they are scores, "
                "remove argmax_output"
            )
        column = self.fixed_output_index if self.fixed_output else 0
        if column >= rows.shape[1]:
            raise OutputError(
                f"{rows.shape[1]} values a sample found, at least {column + 1} expected by fixed_output_index: {column}"
            )
        indices: Array = rows[:, column]
        return indices


def _rows(output: Array, batch: int) -> Array:
    """Return `output` as (B, C); a single sample may come without the axis of the batch."""
    rows = output.reshape(1, -1) if output.ndim < 2 and batch == 1 else output
    if not rows.ndim or len(rows) != batch or not rows.size:
        raise OutputError(f"an output {output.shape} for a batch of {batch} found, ({batch}, classes) expected")
    return rows.reshape(batch, -1)


def _labels(indices: Array) -> list[Prediction]:
    values = indices.astype(np.float64)
    wrong = indices[~np.isfinite(values) | (values != np.floor(values))]
    if wrong.size:
        raise OutputError(
            f"{wrong[0]} found, a whole number expected as class index; if the output holds scores, remove "
            "argmax_output and fixed_output"
        )
    return [Label(int(index)) for index in indices]
