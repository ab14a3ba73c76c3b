"""Depth maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..kinds import Adapter
from ..registry import register
from ..types import Batch, DepthMap, Outputs, Prediction
from ._pixels import as_float, plane
from ._rows import rows

__all__ = ["MonoDepth"]


@register("mono_depth")
@dataclass(frozen=True, kw_only=True)
class MonoDepth(Adapter):
    """The first output as the depth of every pixel, in the model's unit."""

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return a `DepthMap` (H, W) of each sample, over the model's input.

        Raises:
            OutputError: the output does not hold one channel a sample.
        """
        output = next(iter(outputs.values()))
        return [DepthMap(as_float(plane(row)), "input") for row in rows(output, len(batch.samples))]
