"""COCO's own evaluation by faster-coco-eval, https://cocodataset.org/#detection-eval."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np

from .. import boxes
from ..errors import DataError, OutputError
from ..extras import require
from ..kinds import Metric
from ..options import Compat
from ..types import (
    Array,
    Boxes,
    Curve,
    DatasetMeta,
    InstanceMasks,
    Keypoints,
    MetricValue,
    Rle,
    ScoredBoxes,
    ScoredKeypoints,
    ScoredMasks,
)
from ._coco import average_precision, matched_overlaps
from ._matches import Matches, checked, precision_recall
from ._thresholds import COCO_THRESHOLDS, Thresholds

__all__ = ["BoxEvaluation", "CocoEvaluation", "MaskEvaluation", "sides"]

AnnotationT = TypeVar("AnnotationT", Boxes, InstanceMasks, Keypoints)
PredictionT = TypeVar("PredictionT", ScoredBoxes, ScoredMasks, ScoredKeypoints)

_BOX_NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is on one image, what was found there, and the image's own average precision."""

    annotation: Any
    prediction: Any
    alone: float


@dataclass(frozen=True, kw_only=True)
class CocoEvaluation(Metric[AnnotationT, PredictionT], Generic[AnnotationT, PredictionT]):
    """Base of the metrics that are one of the numbers of COCO's evaluation; all of them are components.

    The value of an image alone is its average precision over all its classes and thresholds, NaN without objects.

    Args:
        threshold: the overlaps with which an object is found, which are averaged over.
        include_boundaries: whether a predicted box is a pixel wider and higher; by default false, and true under
            accuracy_checker.
        compat: ``accuracy_checker``: see `include_boundaries`.
    """

    kind_of_overlap: ClassVar[Literal["bbox", "segm", "keypoints"]]
    names: ClassVar[tuple[str, ...]] = _BOX_NUMBERS
    number: ClassVar[str]
    limit: ClassVar[int] = 100

    threshold: Thresholds = COCO_THRESHOLDS
    include_boundaries: bool | None = None
    compat: Compat = None

    def observe(self, annotations: Sequence[AnnotationT], predictions: Sequence[PredictionT]) -> Sequence[Evidence]:
        """Return the evidence of each image.

        Raises:
            OutputError: boxes are not in px of the original image, masks not of one size, keypoints not COCO's 17, or
                a score is NaN.
            MissingExtraError: faster-coco-eval is not installed.
        """
        pairs = zip(annotations, map(self.checked, predictions), strict=True)
        return [Evidence(*pair, self._alone(*pair)) for pair in pairs]

    def summarize(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> MetricValue:
        """Return the number, all numbers as components, and the average precision of each image alone.

        Raises:
            DataError: there is no sample.
            MissingExtraError: faster-coco-eval is not installed.
        """
        if not len(evidence):
            raise DataError("no sample found, at least one expected for COCO's evaluation")
        numbers = self._numbers(evidence)
        return MetricValue(numbers[self.number], numbers, np.array([one.alone for one in evidence]))

    def curves(self, evidence: Sequence[Evidence], meta: DatasetMeta) -> Mapping[str, Curve]:
        """Return the curves of precision over recall; see `precision_recall`."""
        return precision_recall([self._matches(one.annotation, one.prediction) for one in evidence], meta)

    def checked(self, prediction: PredictionT) -> PredictionT:
        """Return `prediction`.

        Raises:
            OutputError: it is not in px of the original image, or a score is NaN.
        """
        if np.isnan(prediction.scores).any():
            raise OutputError("NaN found among the scores, numbers expected")
        return prediction

    @abstractmethod
    def objects(self, annotation: AnnotationT) -> Iterator[dict[str, Any]]:
        """Yield what COCO writes of each annotated object but its class, area and crowd."""

    @abstractmethod
    def detections(self, prediction: PredictionT) -> Iterator[dict[str, Any]]:
        """Yield what COCO writes of each detection but its class and score."""

    def size(self, annotation: AnnotationT, prediction: PredictionT) -> dict[str, int]:
        """Return ``height`` and ``width`` of the image, which COCO's masks need."""
        return {}

    @abstractmethod
    def overlaps(self, annotation: AnnotationT, prediction: PredictionT) -> Array:
        """Return how much each detection and object overlap, (D, G), classes left aside."""

    def ignored(self, annotation: AnnotationT) -> Array:
        """Return which objects (G,) need not be found."""
        return annotation.crowd

    def _alone(self, annotation: AnnotationT, prediction: PredictionT) -> float:
        if not len(annotation):
            return float("nan")
        return average_precision(self._matches(annotation, prediction))

    def _matches(self, annotation: AnnotationT, prediction: PredictionT) -> Matches:
        overlaps, ignored = self.overlaps(annotation, prediction), self.ignored(annotation)
        return matched_overlaps(annotation, prediction, overlaps, ignored, self.threshold, self.limit)

    def _numbers(self, evidence: Sequence[Evidence]) -> dict[str, float]:
        """Return COCO's numbers by name; -1 stands for those that no object is there for, and becomes NaN."""
        images = [{"id": number, **self.size(one.annotation, one.prediction)} for number, one in enumerate(evidence)]
        truths: list[dict[str, Any]] = self._truths(evidence)
        found: list[dict[str, Any]] = self._found(evidence)
        if not truths:
            return dict.fromkeys(self.names, float("nan"))
        labels = sorted({record["category_id"] for record in (*truths, *found)})
        categories = [{"id": label, "name": str(label)} for label in labels]
        package = require("faster_coco_eval", "coco")
        dataset = {"images": images, "annotations": truths, "categories": categories}
        truth = package.COCO(dataset, print_function=_quiet)
        detections = truth.loadRes(found)
        evaluation = package.COCOeval_faster(truth, detections, self.kind_of_overlap, print_function=_quiet)
        evaluation.params.iouThrs = np.array(self.threshold)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        stats = [float(number) for number in evaluation.stats[: len(self.names)]]
        return {name: number if number >= 0 else float("nan") for name, number in zip(self.names, stats, strict=True)}

    def _truths(self, evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for number, one in enumerate(evidence):
            columns = (one.annotation.labels.tolist(), one.annotation.areas.tolist(), one.annotation.crowd.tolist())
            for part, label, area, crowd in zip(self.objects(one.annotation), *columns, strict=True):
                place = {"id": len(rows) + 1, "image_id": number, "category_id": label}
                rows.append({**part, **place, "area": area, "iscrowd": int(crowd)})
        return rows

    def _found(self, evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for number, one in enumerate(evidence):
            columns = (one.prediction.labels.tolist(), one.prediction.scores.tolist())
            for part, label, score in zip(self.detections(one.prediction), *columns, strict=True):
                rows.append({**part, "image_id": number, "category_id": label, "score": score})
        return rows


@dataclass(frozen=True, kw_only=True)
class BoxEvaluation(CocoEvaluation[Boxes, ScoredBoxes]):
    """Base of the evaluations of boxes."""

    kind_of_overlap: ClassVar[Literal["bbox", "segm", "keypoints"]] = "bbox"

    def objects(self, annotation: Boxes) -> Iterator[dict[str, Any]]:
        """Yield the boxes as x, y, width and height."""
        return ({"bbox": box} for box in sides(annotation.boxes, 0))

    def detections(self, prediction: ScoredBoxes) -> Iterator[dict[str, Any]]:
        """Yield the boxes as x, y, width and height."""
        return ({"bbox": box} for box in sides(prediction.boxes, self._border))

    def checked(self, prediction: ScoredBoxes) -> ScoredBoxes:
        """Return `prediction`.

        Raises:
            OutputError: its boxes are not in px of the original image, or a score is NaN.
        """
        return checked(prediction)

    def overlaps(self, annotation: Boxes, prediction: ScoredBoxes) -> Array:
        """Return the intersections over union (D, G), with a crowd over the detection's area."""
        found = prediction.boxes + np.array([0, 0, self._border, self._border])
        overlaps = boxes.iou(found, annotation.boxes)
        if not annotation.crowd.any():
            return overlaps
        return np.where(annotation.crowd, boxes.ioa(found, annotation.boxes), overlaps)

    @property
    def _border(self) -> int:
        return int(self.compat is not None if self.include_boundaries is None else self.include_boundaries)


@dataclass(frozen=True, kw_only=True)
class MaskEvaluation(CocoEvaluation[InstanceMasks, ScoredMasks]):
    """Base of the evaluations of instance masks."""

    kind_of_overlap: ClassVar[Literal["bbox", "segm", "keypoints"]] = "segm"

    def objects(self, annotation: InstanceMasks) -> Iterator[dict[str, Any]]:
        """Yield the masks as run lengths, with their boxes."""
        pairs = zip(annotation.masks, sides(annotation.boxes, 0), strict=True)
        return ({"segmentation": _written(mask), "bbox": box} for mask, box in pairs)

    def detections(self, prediction: ScoredMasks) -> Iterator[dict[str, Any]]:
        """Yield the masks as run lengths."""
        return ({"segmentation": _written(mask)} for mask in prediction.masks)

    def size(self, annotation: InstanceMasks, prediction: ScoredMasks) -> dict[str, int]:
        """Return ``height`` and ``width`` of the masks; nothing without any."""
        masks = (*annotation.masks, *prediction.masks)
        return dict(zip(("height", "width"), masks[0].size, strict=True)) if masks else {}

    def overlaps(self, annotation: InstanceMasks, prediction: ScoredMasks) -> Array:
        """Return the intersections over union (D, G), with a crowd over the detection's area.

        Raises:
            OutputError: the masks are of different sizes.
        """
        if not len(annotation) or not len(prediction):
            return np.zeros((len(prediction), len(annotation)))
        sizes = sorted({mask.size for mask in (*annotation.masks, *prediction.masks)})
        if len(sizes) > 1:
            raise OutputError(f"masks of {sizes[0]} and {sizes[1]} px found, all of the size of the image expected")
        found, truth = ([_written(mask) for mask in masks] for masks in (prediction.masks, annotation.masks))
        library = require("faster_coco_eval.core.mask", "coco")
        return np.asarray(library.iou(found, truth, annotation.crowd.astype(np.uint8).tolist()), dtype=np.float64)


def sides(corners: Array, border: int) -> list[list[float]]:
    """Return x, y, width and height of boxes by their `corners` (N, 4)."""
    written: list[list[float]] = np.concatenate(
        [corners[:, :2], corners[:, 2:] - corners[:, :2] + border], axis=1
    ).tolist()
    return written


def _written(mask: Rle) -> dict[str, Any]:
    return {"size": list(mask.size), "counts": mask.counts}


def _quiet(*_: Any) -> None:
    """Print nothing."""
