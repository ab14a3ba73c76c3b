"""What became of the detections of images, and how it is summarised class by class."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..errors import DataError, OutputError
from ..types import Array, Curve, DatasetMeta, MetricValue, ScoredBoxes
from ._classes import class_name, class_names

__all__ = ["ClassMatches", "Evidence", "Matches", "checked", "evidence_of", "precision_recall", "summarized"]


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The detections of one image, or of several, after they were matched at T thresholds of overlap.

    Args:
        labels: (D,) int64, of the detections.
        scores: (D,) float64.
        outcomes: (T, D) int8, 1 found an object, -1 found none, 0 counts neither for nor against the model.
        objects: (G,) int64, labels of the objects that were to be found.
    """

    labels: Array
    scores: Array
    outcomes: Array
    objects: Array


@dataclass(frozen=True, slots=True, eq=False)
class ClassMatches:
    """The detections of one class by falling score, of equal scores the first first, and how many objects there are.

    See `Matches` for `scores` (D,) and `outcomes` (T, D).
    """

    scores: Array
    outcomes: Array
    objects: int

    @property
    def counts(self) -> tuple[Array, Array]:
        """True and false positives (T, D) among the detections up to each."""
        return (self.outcomes > 0).cumsum(axis=1), (self.outcomes < 0).cumsum(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The matches of one image, and what each class scores on it alone."""

    matches: Matches
    alone: Mapping[int, float]


_RECALLS = np.linspace(0, 1, 101)
_CURVES = 6
"""Classes that have a curve of their own."""

Measure: TypeAlias = Callable[[ClassMatches], float]
"""What a class scores; NaN where it is left out."""


def checked(prediction: ScoredBoxes) -> ScoredBoxes:
    """Return `prediction`.

    Raises:
        OutputError: its boxes are not in px of the original image, or a score is NaN.
    """
    if prediction.frame != "original":
        raise OutputError(
            f"boxes in the frame {prediction.frame!r} found, px of the original image expected; add "
            "resize_prediction_boxes to the postprocessing"
        )
    if np.isnan(prediction.scores).any():
        raise OutputError("NaN found among the scores of the boxes, numbers expected")
    return prediction


def evidence_of(matches: Matches, measure: Measure) -> Evidence:
    """Return the evidence of one image."""
    values = ((label, measure(found)) for label, found in _by_class(matches))
    return Evidence(matches, {label: value for label, value in values if not math.isnan(value)})


def summarized(evidence: Sequence[Evidence], measure: Measure, meta: DatasetMeta) -> MetricValue:
    """Return the mean of `measure` over the classes, its value for each by name, and the mean on each sample alone.

    The background is no class, nor is what the model calls by a label that the dataset does not know. The value is NaN
    where no class has one.

    Raises:
        DataError: there is no sample, the dataset has no map of classes, or it lacks the label of an object.
    """
    if not len(evidence):
        raise DataError("no sample found, at least one expected to compare boxes")
    names = class_names(meta)
    names.pop(meta.background_label, None)  # type: ignore[arg-type]  # None is no key
    components = {}
    for label, found in _by_class(_joined([one.matches for one in evidence])):
        if found.objects and label != meta.background_label:
            class_name(names, label)
        if label in names and not math.isnan(value := measure(found)):
            components[names[label]] = value
    alone = [_mean([value for label, value in one.alone.items() if label in names]) for one in evidence]
    return MetricValue(_mean(list(components.values())), components, np.array(alone))


def precision_recall(parts: Sequence[Matches], meta: DatasetMeta) -> dict[str, Curve]:
    """Return the highest precision at 101 recalls or above, at the first threshold: their mean, and by class.

    Of many classes those with the most objects have curves of their own.
    """
    found = {label: one for label, one in _by_class(_joined(parts)) if one.objects and label != meta.background_label}
    curves = {label: _precisions(one) for label, one in found.items()}
    if not curves:
        return {}
    most = sorted(found, key=lambda label: (-found[label].objects, label))[:_CURVES]
    names = {label: meta.label_map.get(label, str(label)) for label in most}
    own = {f"{names[label]} ({found[label].objects})": Curve(_RECALLS, curves[label]) for label in most}
    mean = Curve(_RECALLS, np.mean(list(curves.values()), axis=0))
    return {f"mean of {len(curves)} classes": mean, **own} if len(curves) > 1 else own


def _precisions(found: ClassMatches) -> Array:
    """Return the precision (101,) of a class at `_RECALLS`, 0 beyond its highest recall."""
    right, wrong = (counts[0] for counts in found.counts)
    precision = np.maximum.accumulate((right / np.maximum(right + wrong, 1))[::-1])[::-1]
    reached = np.searchsorted(right / found.objects, _RECALLS, side="left")
    return np.append(precision, 0.0)[reached]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _joined(parts: Sequence[Matches]) -> Matches:
    return Matches(
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.outcomes for part in parts], axis=1),
        np.concatenate([part.objects for part in parts]),
    )


def _by_class(matches: Matches) -> Iterator[tuple[int, ClassMatches]]:
    """Yield label and matches of every class that has a detection or an object."""
    order = np.lexsort((-matches.scores, matches.labels))
    labels, objects = matches.labels[order], np.sort(matches.objects)
    classes = np.union1d(labels, objects)
    starts, ends = (np.searchsorted(labels, classes, side) for side in ("left", "right"))
    counts = np.searchsorted(objects, classes, "right") - np.searchsorted(objects, classes, "left")
    for label, start, end, count in zip(classes, starts, ends, counts, strict=True):
        chosen = order[start:end]
        yield int(label), ClassMatches(matches.scores[chosen], matches.outcomes[:, chosen], int(count))
