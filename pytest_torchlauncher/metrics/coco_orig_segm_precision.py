"""COCO's average precision of instance masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..registry import register
from ._coco_orig import MaskEvaluation

__all__ = ["CocoOrigSegmPrecision"]


@register("coco_orig_segm_precision")
@dataclass(frozen=True, kw_only=True)
class CocoOrigSegmPrecision(MaskEvaluation):
    """COCO's AP of instance masks: the first of its twelve numbers."""

    number: ClassVar[str] = "AP"
