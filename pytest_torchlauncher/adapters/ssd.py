"""Rows of a detection output layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import Array, Batch, Outputs, Prediction, ScoredBoxes

__all__ = ["SSD"]


@register("ssd")
@dataclass(frozen=True, kw_only=True)
class SSD(Adapter):
    """Rows (1, 1, N, 7) of the whole batch: index of the image, label, score, and the box from 0 to 1.

    A row whose index is -1 ends them.

    Args:
        custom_output_order: whether a row holds y_min, x_min, y_max, x_max, score, label after the index.
    """

    custom_output_order: bool = False

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the boxes of each sample, normalized.

        Raises:
            OutputError: the output has no rows of seven, or a label is no number.
        """
        output = outputs.select()
        if output.shape[-1:] != (7,):
            raise OutputError(f"an output {output.shape} found, rows of seven (1, 1, N, 7) expected")
        rows = _until_end(output.reshape(-1, 7).astype(np.float64))
        return [self._boxes(rows[rows[:, 0] == index, 1:]) for index in range(len(batch.samples))]

    def _boxes(self, rows: Array) -> ScoredBoxes:
        if self.custom_output_order:
            rows = rows[:, [5, 4, 1, 0, 3, 2]]
        if not np.isfinite(rows[:, 0]).all():
            raise OutputError("labels found that are no finite numbers, whole numbers expected")
        return ScoredBoxes(rows[:, 2:], rows[:, 0].astype(np.int64), rows[:, 1], "normalized")


def _until_end(rows: Array) -> Array:
    ends = np.flatnonzero(rows[:, 0] == -1)
    return rows[: ends[0]] if ends.size else rows
