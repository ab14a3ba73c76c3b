"""Random annotated images with detections, for the metrics of boxes and masks."""

from __future__ import annotations

import numpy as np

from pytest_torchlauncher.types import Boxes, DatasetMeta, ScoredBoxes

META = DatasetMeta({0: "background", 1: "cat", 2: "dog", 3: "cow", 4: "emu"}, background_label=0)


def random_boxes(rng, count):
    low = rng.integers(0, 20, (count, 2))
    return np.hstack([low, low + rng.integers(1, 12, (count, 2))]).astype(np.float64)


def annotated(boxes, labels, difficult=None, crowd=None):
    """Return `Boxes` of plain lists."""
    count = len(labels)
    none = np.zeros(count, dtype=bool)
    difficult, crowd = (none if flags is None else np.array(flags, dtype=bool) for flags in (difficult, crowd))
    return Boxes(np.array(boxes, np.float64).reshape(-1, 4), np.array(labels, dtype=np.int64), difficult, crowd)


def detected(boxes, labels, scores, difficult=None, frame="original"):
    """Return `ScoredBoxes` of plain lists."""
    aside = np.zeros(len(labels), dtype=bool) if difficult is None else np.array(difficult, dtype=bool)
    corners = np.array(boxes, np.float64).reshape(-1, 4)
    return ScoredBoxes(corners, np.array(labels, dtype=np.int64), np.array(scores, np.float64), frame, aside)


def random_image(rng, crowds=True, aside=False):
    """Return annotation and detections of an image; labels 1 to 4, scores of one digit, some images have neither."""
    count, found = rng.integers(0, 6), rng.integers(0, 10)
    boxes, labels = random_boxes(rng, count), rng.integers(1, rng.integers(2, 6), count)
    flags = rng.random((3, max(count, found)))
    annotation = annotated(boxes, labels, flags[0, :count] < 0.2, (flags[1, :count] < 0.2) & crowds)
    corners, classes = random_boxes(rng, found), rng.integers(1, 5, found)
    if count:
        near = np.flatnonzero(rng.random(found) < 0.7)
        source = rng.integers(0, count, len(near))
        corners[near], classes[near] = boxes[source] + rng.integers(-1, 2, (len(near), 4)), labels[source]
        corners[:, 2:] = np.maximum(corners[:, 2:], corners[:, :2])
    scores = rng.integers(1, 10, found) / 10
    return annotation, detected(corners, classes, scores, (flags[2, :found] < 0.2) & aside)


def random_images(seed, crowds=True, aside=False):
    """Return annotations and detections of up to 6 images."""
    rng = np.random.default_rng(seed)
    images = [random_image(rng, crowds, aside) for _ in range(rng.integers(1, 7))]
    return [annotation for annotation, _ in images], [prediction for _, prediction in images]


def value(metric, annotations, predictions, meta=META):
    return metric.summarize(metric.observe(annotations, predictions), meta)


def assert_any_collection_can_be_summarised(metric, annotations, predictions):
    """Check that evidence of other images, in any number, is as good as the images themselves."""
    evidence = metric.observe(annotations, predictions)
    chosen = np.random.default_rng(len(evidence)).integers(0, len(evidence), 4)
    resampled = metric.summarize([evidence[i] for i in chosen], META)
    again = value(metric, [annotations[i] for i in chosen], [predictions[i] for i in chosen])
    np.testing.assert_equal(resampled.value, again.value)
    assert resampled.components == again.components
    whole = metric.summarize(evidence, META)
    alone = [value(metric, [a], [p]).value for a, p in zip(annotations, predictions, strict=True)]
    np.testing.assert_array_equal(whole.per_sample, alone)
    np.testing.assert_array_equal(resampled.per_sample, whole.per_sample[chosen])
