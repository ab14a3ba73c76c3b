"""Alpha masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..kinds import Adapter
from ..registry import register
from ..types import Batch, Matte, Outputs, Prediction
from ._pixels import as_float, plane, to_8_bit
from ._rows import rows

__all__ = ["BackgroundMatting"]


@register("background_matting")
@dataclass(frozen=True, kw_only=True)
class BackgroundMatting(Adapter):
    """The first output as how much of every pixel is foreground, from 0 to 1.

    Values outside become 0 or 1; the Accuracy Checker wraps them, so that 1.01 is background.
    """

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return a `Matte` (H, W) uint8 from 0 to 255 of each sample, over the model's input.

        Raises:
            OutputError: the output does not hold one channel a sample.
        """
        output = next(iter(outputs.values()))
        alphas = (as_float(plane(row)) for row in rows(output, len(batch.samples)))
        return [Matte(to_8_bit(alpha * 255), "input") for alpha in alphas]
