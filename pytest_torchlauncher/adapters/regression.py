"""Values that a model estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..kinds import Adapter
from ..registry import register
from ..types import Batch, Outputs, Prediction, Values
from ._rows import rows

__all__ = ["Regression"]


@register("regression")
@dataclass(frozen=True, kw_only=True)
class Regression(Adapter):
    """The first output as it stands, a row a sample.

    Args:
        keep_shape: whether a row keeps its shape, else it becomes a vector.
    """

    keep_shape: bool = False

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return `Values` of each sample, a vector or of the row's shape; a single number is a vector of one.

        Raises:
            OutputError: the output does not hold one row a sample.
        """
        output = next(iter(outputs.values()))
        values = (np.atleast_1d(row).astype(np.float64) for row in rows(output, len(batch.samples)))
        return [Values(row if self.keep_shape else row.reshape(-1)) for row in values]
