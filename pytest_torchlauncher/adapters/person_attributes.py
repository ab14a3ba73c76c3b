"""Attributes that a sample has or not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..kinds import Adapter
from ..registry import register
from ..types import Attributes, Batch, Outputs, Prediction
from ._rows import batched

__all__ = ["PersonAttributes"]


@register("person_attributes")
@dataclass(frozen=True, kw_only=True)
class PersonAttributes(Adapter):
    """A probability of each attribute; the sample has those above 0.5.

    Args:
        attributes_recognition_out: name of the output or a regular expression for it; the first by default.
    """

    attributes_recognition_out: str | None = None

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: `attributes_recognition_out` is no regular expression.
        """
        try:
            re.compile(self.attributes_recognition_out or "")
        except re.error as error:
            raise ValueError(
                f"attributes_recognition_out: {self.attributes_recognition_out!r} is no regular expression: {error}"
            ) from None

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the `Attributes` (K,) of each sample, 1 or 0.

        Raises:
            OutputError: no such output, or not one row a sample.
        """
        output = outputs.select(self.attributes_recognition_out)
        count = len(batch.samples)
        has = batched(output, count).reshape(count, -1) > 0.5
        return [Attributes(row) for row in has.astype(np.int64)]
