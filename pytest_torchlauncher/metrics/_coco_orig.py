"""COCO's own evaluation by faster-coco-eval, https://cocodataset.org/#detection-eval."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np

from .. import boxes
from ..errors import DataError
from ..extras import require
from ..kinds import Metric
from ..options import Compat
from ..types import (
    Array,
    Boxes,
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
from ._matches import checked
from ._thresholds import COCO_THRESHOLDS, Thresholds

__all__ = ["BoxEvaluation", "CocoEvaluation", "KeypointEvaluation", "MaskEvaluation"]

AnnotationT = TypeVar("AnnotationT", Boxes, InstanceMasks, Keypoints)
PredictionT = TypeVar("PredictionT", ScoredBoxes, ScoredMasks, ScoredKeypoints)

_BOX_NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
_KEYPOINT_NUMBERS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Objects and detections of one image as COCO writes them, without ids; and the image's own average precision."""

    objects: Sequence[Mapping[str, Any]]
    detections: Sequence[Mapping[str, Any]]
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
    number: ClassVar[str]

    threshold: Thresholds = COCO_THRESHOLDS
    include_boundaries: bool | None = None
    compat: Compat = None

    def observe(self, annotations: Sequence[AnnotationT], predictions: Sequence[PredictionT]) -> Sequence[Records]:
        """Return the records of each image.

        Raises:
            OutputError: boxes are not in px of the original image, or a score is NaN.
            MissingExtraError: faster-coco-eval is not installed.
        """
        return [self._records(*pair) for pair in zip(annotations, predictions, strict=True)]

    def summarize(self, evidence: Sequence[Records], meta: DatasetMeta) -> MetricValue:
        """Return the number, all numbers as components, and the average precision of each image alone.

        Raises:
            DataError: there is no sample.
            MissingExtraError: faster-coco-eval is not installed.
        """
        if not len(evidence):
            raise DataError("no sample found, at least one expected for COCO's evaluation")
        numbers = self._numbers(evidence)
        return MetricValue(numbers[self.number], numbers, np.array([records.alone for records in evidence]))

    @abstractmethod
    def objects(self, annotation: AnnotationT) -> Iterator[dict[str, Any]]:
        """Yield what COCO writes of each annotated object but its class, area and crowd."""

    @abstractmethod
    def detections(self, prediction: PredictionT) -> Iterator[dict[str, Any]]:
        """Yield what COCO writes of each detection but its class and score."""

    @abstractmethod
    def overlaps(self, annotation: AnnotationT, prediction: PredictionT) -> Array:
        """Return how much each detection and object overlap, (D, G), classes left aside."""

    def _records(self, annotation: AnnotationT, prediction: PredictionT) -> Records:
        objects = zip(
            self.objects(annotation),
            annotation.labels.tolist(),
            annotation.areas.tolist(),
            annotation.crowd.tolist(),
            strict=True,
        )
        detections = zip(
            self.detections(prediction), prediction.labels.tolist(), prediction.scores.tolist(), strict=True
        )
        return Records(
            [
                {**part, "category_id": label, "area": area, "iscrowd": int(crowd)}
                for part, label, area, crowd in objects
            ],
            [{**part, "category_id": label, "score": score} for part, label, score in detections],
            self._alone(annotation, prediction),
        )

    def _alone(self, annotation: AnnotationT, prediction: PredictionT) -> float:
        if not len(annotation):
            return float("nan")
        matches = matched_overlaps(annotation, prediction, self.overlaps(annotation, prediction), self.threshold)
        return average_precision(matches)

    def _numbers(self, evidence: Sequence[Records]) -> dict[str, float]:
        """Return COCO's numbers by name; -1 stands for those that no object is there for, and becomes NaN."""
        names = _KEYPOINT_NUMBERS if self.kind_of_overlap == "keypoints" else _BOX_NUMBERS
        images = [{"id": number, **_size(records)} for number, records in enumerate(evidence)]
        truths: list[dict[str, Any]] = _numbered(records.objects for records in evidence)
        found: list[dict[str, Any]] = _numbered(records.detections for records in evidence)
        if not truths:
            return dict.fromkeys(names, float("nan"))
        if not found:
            return dict.fromkeys(names, 0.0)
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
        stats = [float(number) for number in evaluation.stats[: len(names)]]
        return {name: number if number >= 0 else float("nan") for name, number in zip(names, stats, strict=True)}


@dataclass(frozen=True, kw_only=True)
class BoxEvaluation(CocoEvaluation[Boxes, ScoredBoxes]):
    """Base of the evaluations of boxes."""

    kind_of_overlap: ClassVar[Literal["bbox", "segm", "keypoints"]] = "bbox"

    def objects(self, annotation: Boxes) -> Iterator[dict[str, Any]]:
        """Yield the boxes as x, y, width and height."""
        return ({"bbox": box} for box in _sides(annotation.boxes, 0))

    def detections(self, prediction: ScoredBoxes) -> Iterator[dict[str, Any]]:
        """Yield the boxes as x, y, width and height.

        Raises:
            OutputError: they are not in px of the original image, or a score is NaN.
        """
        return ({"bbox": box} for box in _sides(checked(prediction).boxes, self._border))

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
        pairs = zip(annotation.masks, _sides(annotation.boxes, 0), strict=True)
        return ({"segmentation": _written(mask), "bbox": box} for mask, box in pairs)

    def detections(self, prediction: ScoredMasks) -> Iterator[dict[str, Any]]:
        """Yield the masks as run lengths."""
        return ({"segmentation": _written(mask)} for mask in prediction.masks)

    def overlaps(self, annotation: InstanceMasks, prediction: ScoredMasks) -> Array:
        """Return the intersections over union (D, G), with a crowd over the detection's area."""
        if not len(annotation) or not len(prediction):
            return np.zeros((len(prediction), len(annotation)))
        found, truth = ([_written(mask) for mask in masks] for masks in (prediction.masks, annotation.masks))
        library = require("faster_coco_eval.core.mask", "coco")
        return np.asarray(library.iou(found, truth, annotation.crowd.astype(np.uint8).tolist()), dtype=np.float64)


_SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
"""How far annotators differ, a keypoint of COCO's people, in parts of the square root of the area."""


@dataclass(frozen=True, kw_only=True)
class KeypointEvaluation(CocoEvaluation[Keypoints, ScoredKeypoints]):
    """Base of the evaluations of keypoints, by COCO's object keypoint similarity."""

    kind_of_overlap: ClassVar[Literal["bbox", "segm", "keypoints"]] = "keypoints"

    def objects(self, annotation: Keypoints) -> Iterator[dict[str, Any]]:
        """Yield the points as x, y and visibility in turn, with their number and boxes."""
        rows = zip(annotation.points, annotation.visibility, _sides(annotation.boxes, 0), strict=True)
        for points, visibility, box in rows:
            written = np.concatenate([points, visibility[:, np.newaxis]], axis=1).reshape(-1).tolist()
            yield {"keypoints": written, "num_keypoints": int((visibility > 0).sum()), "bbox": box}

    def detections(self, prediction: ScoredKeypoints) -> Iterator[dict[str, Any]]:
        """Yield the points as x, y and 1 in turn."""
        for points in prediction.points:
            yield {"keypoints": np.concatenate([points, np.ones((len(points), 1))], axis=1).reshape(-1).tolist()}

    def overlaps(self, annotation: Keypoints, prediction: ScoredKeypoints) -> Array:
        """Return the similarities (D, G) of the points, 0 with objects that have none."""
        count = annotation.points.shape[1] if len(annotation) else 0
        sigmas = _SIGMAS if count == len(_SIGMAS) else np.full(count, 1 / max(count, 1))
        shown = annotation.visibility > 0
        squares = ((prediction.points[:, np.newaxis] - annotation.points[np.newaxis]) ** 2).sum(axis=-1)
        scaled = squares / (2 * sigmas) ** 2 / (annotation.areas[:, np.newaxis] + np.spacing(1)) / 2
        similar: Array = (np.exp(-scaled) * shown).sum(axis=-1) / np.maximum(shown.sum(axis=-1), 1)
        return similar


def _sides(corners: Array, border: int) -> list[list[float]]:
    """Return x, y, width and height of boxes by their `corners` (N, 4)."""
    written: list[list[float]] = np.concatenate(
        [corners[:, :2], corners[:, 2:] - corners[:, :2] + border], axis=1
    ).tolist()
    return written


def _written(mask: Rle) -> dict[str, Any]:
    return {"size": list(mask.size), "counts": mask.counts}


def _numbered(images: Iterator[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return the records of all images with ids from 1 and the numbers of their images."""
    rows = ((number, record) for number, of_one in enumerate(images) for record in of_one)
    return [{**record, "image_id": number, "id": index} for index, (number, record) in enumerate(rows, 1)]


def _size(records: Records) -> dict[str, int]:
    """Return the size of the image as its masks give it; nothing where it has none."""
    masks = (record["segmentation"] for record in (*records.objects, *records.detections) if "segmentation" in record)
    return next(({"height": mask["size"][0], "width": mask["size"][1]} for mask in masks), {})


def _quiet(*_: Any) -> None:
    """Print nothing."""
