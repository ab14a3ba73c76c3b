"""COCO's average recall of boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..registry import register
from ._coco_orig import BoxEvaluation

__all__ = ["CocoOrigRecall"]


@register("coco_orig_recall")
@dataclass(frozen=True, kw_only=True)
class CocoOrigRecall(BoxEvaluation):
    """COCO's AR of boxes with up to 100 detections an image."""

    number: ClassVar[str] = "AR100"
