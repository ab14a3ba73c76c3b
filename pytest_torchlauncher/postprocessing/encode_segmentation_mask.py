"""Colours, or a model's own classes, as the classes of the dataset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..errors import OutputError
from ..registry import register
from ..types import Array, Mask, MaskScores, Named, Pair
from ._targets import Targeted

__all__ = ["EncodeSegmentationMask"]


@register("encode_segmentation_mask")
@dataclass(frozen=True, kw_only=True)
class EncodeSegmentationMask(Targeted):
    """Turns annotated colours into labels, and predicted labels into those of the annotations.

    A colour stands for the class at its place in the dataset's ``segmentation_colors``, an unknown one for 0; a
    predicted label for what ``prediction_to_gt_labels`` says, one that is not there for none. Of scores the class with
    the highest one is taken. An annotation that holds labels already stays as it is.
    """

    needs_target: ClassVar[bool] = True
    annotations: ClassVar[tuple[type, ...]] = (Mask,)
    predictions: ClassVar[tuple[type, ...]] = (Mask, MaskScores)

    def change(self, value: Any, pair: Pair) -> Any:
        """Return the mask with labels (H, W) int64.

        Raises:
            OutputError: the dataset has no colours, or does not say what predicted labels stand for.
        """
        if isinstance(value, Mask) and value.labels.ndim == 3:
            return replace(value, labels=_of_colors(value.labels, pair))
        if _is_annotated(value, pair):
            return value
        return Mask(_renamed(value.labels, pair), value.frame)


def _is_annotated(value: Any, pair: Pair) -> bool:
    parts = pair.annotation.parts.values() if isinstance(pair.annotation, Named) else (pair.annotation,)
    return any(value is part for part in parts)


def _of_colors(image: Array, pair: Pair) -> Array:
    colors = pair.meta.segmentation_colors
    if not colors:
        raise OutputError("the dataset has no segmentation_colors; put them into its dataset_meta_file")
    labels = np.zeros(image.shape[:2], dtype=np.int64)
    for label, color in enumerate(colors):
        labels[(image[..., :3] == color).all(axis=-1)] = label
    return labels


def _renamed(labels: Array, pair: Pair) -> Array:
    names = pair.meta.prediction_to_gt_labels
    if not names:
        raise OutputError("the dataset has no prediction_to_gt_labels; put them into its dataset_meta_file")
    renamed = np.full(labels.shape, -1, dtype=np.int64)
    for predicted, label in names.items():
        renamed[labels == predicted] = label
    return renamed
