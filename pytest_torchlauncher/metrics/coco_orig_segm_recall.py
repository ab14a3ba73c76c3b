"""COCO's average recall of instance masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..registry import register
from ._coco_orig import MaskEvaluation

__all__ = ["CocoOrigSegmRecall"]


@register("coco_orig_segm_recall")
@dataclass(frozen=True, kw_only=True)
class CocoOrigSegmRecall(MaskEvaluation):
    """COCO's AR of instance masks with up to 100 detections an image."""

    number: ClassVar[str] = "AR100"
