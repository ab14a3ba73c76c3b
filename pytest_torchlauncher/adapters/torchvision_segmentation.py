"""torchvision's segmentation models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import Array, Batch, Mask, Outputs, Prediction, Sample

__all__ = ["TorchvisionSegmentation"]


@register("torchvision_segmentation")
@dataclass(frozen=True, kw_only=True)
class TorchvisionSegmentation(Adapter):
    """The mapping that torchvision's segmentation models return: ``out`` (B, C, h, w), perhaps ``aux``.

    Labels are of the original image: what a crop does not show gets -1, no class.

    Args:
        output: name of the output or a regular expression for it; ``out``, or the first, by default.
    """

    output: str | None = None

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the class with the highest score for every pixel of the original image.

        Raises:
            OutputError: there is no such output, or it has other axes.
        """
        name = self.output or ("out" if "out" in outputs else None)
        scores = outputs.select(name)
        if scores.ndim != 4 or len(scores) != len(batch.samples):
            raise OutputError(f"an output {scores.shape} found, ({len(batch.samples)}, C, H, W) expected")
        return [_labels(of_one, sample) for of_one, sample in zip(scores, batch.samples, strict=True)]


def _labels(scores: Array, sample: Sample) -> Mask:
    labels = scores.argmax(axis=0)
    if sample.geometry is None:
        return Mask(labels, "input")
    return Mask(sample.geometry.mask_to_original(labels, outside=-1))
