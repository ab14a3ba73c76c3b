"""COCO's average precision of keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..registry import register
from ._coco_orig_keypoints import KeypointEvaluation

__all__ = ["CocoOrigKeypointsPrecision"]


@register("coco_orig_keypoints_precision")
@dataclass(frozen=True, kw_only=True)
class CocoOrigKeypointsPrecision(KeypointEvaluation):
    """COCO's AP of keypoints: the first of its ten numbers."""

    number: ClassVar[str] = "AP"
