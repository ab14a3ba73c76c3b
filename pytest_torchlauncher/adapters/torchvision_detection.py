"""torchvision's detection models: boxes, instance masks and keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import rle
from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import (
    Array,
    Batch,
    Geometry,
    Named,
    Outputs,
    Prediction,
    Rle,
    ScoredBoxes,
    ScoredKeypoints,
    ScoredMasks,
)

__all__ = ["TorchvisionDetection"]


@register("torchvision_detection")
@dataclass(frozen=True, kw_only=True)
class TorchvisionDetection(Adapter):
    """The list of mappings that torchvision's detection models return in evaluation, one a sample.

    ``boxes`` (N, 4) in px of the input, ``labels`` (N,), ``scores`` (N,), of some models ``masks`` (N, 1, H, W) from 0
    to 1, or ``keypoints`` (N, K, 3) with ``keypoints_scores`` (N, K). All are brought to the original image. Models
    with masks or keypoints give several predictions: ``detection``, ``segmentation``, ``keypoints``.

    Args:
        mask_threshold: above which a pixel belongs to the mask.
    """

    mask_threshold: float = 0.5

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return what was found in each sample, in px of the original image.

        Raises:
            OutputError: an output is missing, or how the input came from the original image is not known.
            MissingExtraError: there are masks, and faster-coco-eval is not installed.
        """
        by_name = {name: outputs.by_sample(name) for name in ("boxes", "labels", "scores")}
        by_name |= {name: outputs.by_sample(name) for name in _FURTHER if name in outputs}
        counts = {name: len(parts) for name, parts in by_name.items()}
        if set(counts.values()) != {len(batch.samples)}:
            raise OutputError(f"{counts} entries for a batch of {len(batch.samples)} found, one a sample expected")
        predictions = []
        for index, sample in enumerate(batch.samples):
            if sample.geometry is None:
                raise OutputError(
                    f"{sample.identifier}: how the input came from the original image is not known; "
                    "let the dataset give images, not tensors"
                )
            found = {name: parts[index] for name, parts in by_name.items()}
            predictions.append(self._prediction(found, sample.geometry))
        return predictions

    def _prediction(self, found: dict[str, Array], geometry: Geometry) -> Prediction:
        labels, scores = found["labels"].astype(np.int64), found["scores"].astype(np.float64)
        parts: dict[str, Prediction] = {
            "detection": ScoredBoxes(geometry.boxes_to_original(found["boxes"]), labels, scores)
        }
        if "masks" in found:
            parts["segmentation"] = ScoredMasks(self._masks(found["masks"], geometry), labels, scores)
        if "keypoints" in found:
            points = found["keypoints"]
            point_scores = found.get("keypoints_scores", np.ones(points.shape[:2])).astype(np.float64)
            placed = geometry.points_to_original(points[..., :2])
            parts["keypoints"] = ScoredKeypoints(placed, point_scores, labels, scores)
        return Named(parts) if len(parts) > 1 else parts["detection"]

    def _masks(self, masks: Array, geometry: Geometry) -> tuple[Rle, ...]:
        """Return `masks` (N, 1, h, w) over the original image; nothing is where the input does not show it."""
        values = masks.reshape(len(masks), *masks.shape[-2:])
        if geometry.is_unmoved:
            return tuple(rle.encode(mask > self.mask_threshold) for mask in values)
        shown = geometry.mask_to_original(np.ones(geometry.current, dtype=bool))
        placed = map(geometry.image_to_original, values)
        return tuple(rle.encode((mask > self.mask_threshold) & shown) for mask in placed)


_FURTHER = ("masks", "keypoints", "keypoints_scores")
