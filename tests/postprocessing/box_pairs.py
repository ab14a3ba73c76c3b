"""Annotated and predicted boxes of one image, for the steps on them."""

from __future__ import annotations

import numpy as np

from pytest_torchlauncher.types import Boxes, Pair, Sample, ScoredBoxes

NO_BOXES = Boxes(np.zeros((0, 4)), np.zeros(0, dtype=np.int64))


def predicted(boxes, labels=None, scores=None, frame="original"):
    """Return `ScoredBoxes` of plain lists, by default of one class and falling score."""
    corners = np.array(boxes, np.float64).reshape(-1, 4)
    count = len(corners)
    return ScoredBoxes(
        corners,
        np.array([1] * count if labels is None else labels, dtype=np.int64),
        np.linspace(1, 0, count, endpoint=False) if scores is None else np.array(scores, np.float64),
        frame,
    )


def annotated(boxes, labels=None):
    """Return `Boxes` of plain lists, by default of one class."""
    corners = np.array(boxes, np.float64).reshape(-1, 4)
    return Boxes(corners, np.array([1] * len(corners) if labels is None else labels, dtype=np.int64))


def image(height=40, width=80):
    """Return the sample of an image."""
    return Sample("a.png", np.zeros((height, width, 3), np.uint8), NO_BOXES)


def nothing():
    """Return a sample that is no image."""
    return Sample("a.txt", np.zeros(3), NO_BOXES)


def prediction_after(step, prediction, sample=None):
    return step.apply(Pair(NO_BOXES, prediction, sample or image())).prediction


def annotation_after(step, annotation, sample=None):
    return step.apply(Pair(annotation, predicted([]), sample or image())).annotation
