"""COCO's average precision of boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..registry import register
from ._coco_orig import BoxEvaluation

__all__ = ["CocoOrigPrecision"]


@register("coco_orig_precision")
@dataclass(frozen=True, kw_only=True)
class CocoOrigPrecision(BoxEvaluation):
    """COCO's AP of boxes: the first of its twelve numbers."""

    number: ClassVar[str] = "AP"
