"""Overlap of boxes, and matching of detections to objects as PASCAL VOC does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from .. import boxes
from ..kinds import Metric
from ..options import Compat
from ..types import Array, Boxes, Curve, DatasetMeta, ScoredBoxes
from ._matches import Evidence, Matches, checked, precision_recall

__all__ = ["BoxMetric", "VocMatching"]


@dataclass(frozen=True, kw_only=True)
class BoxMetric(Metric[Boxes, ScoredBoxes]):
    """Base of the metrics of boxes at one threshold of overlap.

    Args:
        overlap_threshold: the overlap with which an object is found, from 0 to 1.
        overlap_method: iou, intersection over union, or ioa, the part of the detection that lies in the object.
        include_boundaries: whether corners are pixels that belong to the box, so that it has x_max - x_min + 1 columns.
        ignore_difficult: whether difficult objects need not be found, and detections of them count for nothing.
        allow_multiple_matches_per_ignored: whether that is so for all detections of a difficult object, not only for
            the surest, and the overlap with difficult objects is always ioa.
        use_filtered_tp: whether a detection that a filter set aside counts where it finds an object; it is never held
            against the model where difficult objects are ignored.
        distinct_conf: whether precision and recall are taken between different scores only.
        label_map: the name of the dataset's map of classes.
    """

    overlap_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    overlap_method: Literal["iou", "ioa"] = "iou"
    include_boundaries: bool = True
    ignore_difficult: bool = True
    allow_multiple_matches_per_ignored: bool = False
    use_filtered_tp: bool = False
    distinct_conf: bool = False
    label_map: Literal["label_map"] = "label_map"

    def overlaps(self, found: Array, objects: Array) -> Array:
        """Return the overlap (D, G) of the boxes `found` (D, 4) with those of `objects` (G, 4)."""
        measure = boxes.iou if self.overlap_method == "iou" else boxes.ioa
        return measure(found, objects, int(self.include_boundaries))


@dataclass(frozen=True, kw_only=True)
class VocMatching(BoxMetric):
    """Base of the metrics for which a detection finds the object of its class that it overlaps most.

    Of several detections of an object the surest finds it and the others are false. A difficult object is looked at
    only where no other overlaps enough. See Everingham et al., The PASCAL Visual Object Classes (VOC) Challenge, 2010.

    Args:
        compat: accuracy_checker counts a class without detections as none and one without objects as 0, and holds
            detections that a filter set aside against the model on images without objects of their class.
    """

    compat: Compat = None

    def matched(self, annotations: Sequence[Boxes], predictions: Sequence[ScoredBoxes]) -> list[Matches]:
        """Return the matches of each image.

        Raises:
            OutputError: boxes are not in px of the original image, or a score is NaN.
        """
        pairs = zip(annotations, map(checked, predictions), strict=True)
        return [self._matched(annotation, prediction) for annotation, prediction in pairs]

    def curves(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> Mapping[str, Curve]:
        """Return the curves of precision over recall; see `precision_recall`."""
        return precision_recall([one.matches for one in evidence], meta)

    def is_left_out(self, detections: int, objects: int) -> bool:
        """Whether a class with so many detections and objects has no value."""
        return (detections if self.compat else objects) == 0

    def _matched(self, annotation: Boxes, prediction: ScoredBoxes) -> Matches:
        prediction = prediction.where(np.argsort(-prediction.scores, kind="stable"))
        difficult = annotation.difficult & self.ignore_difficult
        aside = prediction.difficult & self.ignore_difficult
        right, wrong = self._judged(self._targets(annotation, prediction, difficult), difficult, aside)
        wrong &= ~aside | (np.isin(prediction.labels, annotation.labels, invert=True) & bool(self.compat))
        outcomes = (right.astype(np.int8) - wrong.astype(np.int8))[np.newaxis]
        return Matches(prediction.labels, prediction.scores, outcomes, annotation.labels[~difficult])

    def _targets(self, annotation: Boxes, prediction: ScoredBoxes, difficult: Array) -> Array:
        """Return the index (D,) of the object of its class that each detection overlaps most; G where it finds none."""
        overlaps = self.overlaps(prediction.boxes, annotation.boxes)
        if self.allow_multiple_matches_per_ignored:
            inside = boxes.ioa(prediction.boxes, annotation.boxes, int(self.include_boundaries))
            overlaps = np.where(difficult, inside, overlaps)
        near = (overlaps >= self.overlap_threshold) & (prediction.labels[:, np.newaxis] == annotation.labels)
        ordinary = near & ~difficult
        allowed = np.where(ordinary.any(axis=1, keepdims=True), ordinary, near)
        # The column behind the objects wins where none is allowed.
        targets: Array = np.argmax(np.pad(np.where(allowed, overlaps, -1.0), ((0, 0), (0, 1))), axis=1)
        return targets

    def _judged(self, targets: Array, difficult: Array, aside: Array) -> tuple[Array, Array]:
        """Return which detections (D,) are right and which wrong, given their `targets` and which are set `aside`."""
        found, on_difficult = targets < len(difficult), np.append(difficult, False)[targets]
        claims = np.flatnonzero(found & (on_difficult | self.use_filtered_tp | ~aside))
        first = np.zeros(len(targets), dtype=bool)
        first[claims[np.unique(targets[claims], return_index=True)[1]]] = True
        again = found & ~first & ~(on_difficult & self.allow_multiple_matches_per_ignored)
        return first & ~on_difficult, again | ~found
