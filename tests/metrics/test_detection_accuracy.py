"""The detection_accuracy metric against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from detection_cases import META, annotated, detected, random_images, value
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.detection_accuracy import DetectionAccuracy
from pytest_torchlauncher.types import DatasetMeta

random_data = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
ROW = np.array([[20.0 * i, 0.0, 20.0 * i + 9, 9.0] for i in range(9)])


def overlap(first, second, metric):
    border = int(metric.include_boundaries)
    width, height = (max(0, min(first[i + 2], second[i + 2]) - max(first[i], second[i]) + border) for i in (0, 1))
    areas = [(box[2] - box[0] + border) * (box[3] - box[1] + border) for box in (first, second)]
    whole = areas[0] if metric.overlap_method == "ioa" else sum(areas) - width * height
    return width * height / whole if whole else 0.0


def matched(annotation, prediction, metric):
    """Return true and predicted labels of the objects that were found, by the written rule."""
    pairs = [
        (overlap(box, corners, metric), j, i)
        for i, box in enumerate(prediction.boxes.tolist())
        for j, corners in enumerate(annotation.boxes.tolist())
    ]
    near = [pair for pair in pairs if pair[0] > metric.overlap_threshold]
    if metric.fast_match:
        near.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    else:
        near.sort(key=lambda pair: (-prediction.scores[pair[2]], pair[2], -pair[0], pair[1]))
    objects, found = set(), set()
    for _, j, i in near:
        if j not in objects and i not in found:
            objects.add(j)
            found.add(i)
            yield annotation.labels[j], prediction.labels[i]


@random_data
@given(SEEDS, st.booleans(), st.booleans(), st.sampled_from(["iou", "ioa"]), st.booleans(), st.sampled_from([0.1, 0.5]))
def test_agrees_with_sklearn(seed, fast, normalized, method, border, threshold):
    metric = DetectionAccuracy(
        fast_match=fast,
        use_normalization=normalized,
        overlap_method=method,
        include_boundaries=border,
        overlap_threshold=threshold,
    )
    annotations, predictions = random_images(seed)
    images = [list(matched(a, p, metric)) for a, p in zip(annotations, predictions, strict=True)]
    result = value(metric, annotations, predictions)
    truth, labels = np.array([pair for image in images for pair in image]).reshape(-1, 2).T
    alone = [accuracy_score(*zip(*image, strict=True)) if image else np.nan for image in images]
    np.testing.assert_allclose(result.per_sample, alone, atol=1e-12)
    if not len(truth):
        assert result.value == 0.0
    elif normalized:
        counts = confusion_matrix(truth, labels, labels=range(5))
        assert result.value == pytest.approx(np.mean(counts.diagonal() / np.maximum(1, counts.sum(axis=1))), abs=1e-12)
    else:
        assert result.value == pytest.approx(accuracy_score(truth, labels), abs=1e-12)


@random_data
@given(SEEDS)
def test_any_collection_of_evidence_can_be_summarised(seed):
    annotations, predictions = random_images(seed)
    metric = DetectionAccuracy()
    evidence = metric.observe(annotations, predictions)
    chosen = [0, len(evidence) - 1, 0]
    again = value(metric, [annotations[i] for i in chosen], [predictions[i] for i in chosen])
    assert metric.summarize([evidence[i] for i in chosen], META).value == again.value


def test_what_is_not_found_does_not_count():
    objects = [annotated(ROW[:3], [1, 2, 3])]
    found = [detected(ROW[[0, 1, 7]], [1, 1, 3], [0.9, 0.8, 0.7])]
    assert value(DetectionAccuracy(), objects, found).value == 0.5


def test_the_surest_or_the_closest_is_taken():
    objects = [annotated(ROW[:1], [1])]
    found = [detected([[0, 0, 9, 7], [0, 0, 9, 9]], [2, 1], [0.9, 0.8])]
    assert value(DetectionAccuracy(), objects, found).value == 0.0
    assert value(DetectionAccuracy(fast_match=True), objects, found).value == 1.0


def test_an_overlap_of_exactly_the_threshold_is_not_enough():
    objects, found = [annotated([[0, 0, 9, 9]], [1])], [detected([[0, 0, 9, 4]], [1], [0.9])]
    assert len(DetectionAccuracy().observe(objects, found)[0]) == 0
    assert len(DetectionAccuracy(overlap_threshold=0.49).observe(objects, found)[0]) == 1


@pytest.mark.parametrize("label", [0, 2])
def test_a_class_can_be_ignored(label):
    objects = [annotated(ROW[:2], [1, label])]
    found = [detected(ROW[:2], [1, 3], [0.9, 0.8])]
    assert value(DetectionAccuracy(), objects, found).value == 0.5
    assert value(DetectionAccuracy(ignore_label=label), objects, found).value == 1.0


def test_difficult_objects_count_as_any_other():
    found = [detected(ROW[:2], [1, 1], [0.9, 0.8])]
    hard = [annotated(ROW[:2], [1, 2], difficult=[False, True])]
    assert value(DetectionAccuracy(), hard, found).value == 0.5


def test_names_are_needed_to_weigh_classes_alike():
    metric = DetectionAccuracy(use_normalization=True)
    case = [annotated(ROW[:2], [1, 7])], [detected(ROW[:2], [1, 1], [0.9, 0.8])]
    with pytest.raises(DataError, match=r"^the dataset has no label_map, the names of its classes; add a labels_file"):
        value(metric, *case, meta=DatasetMeta())
    with pytest.raises(DataError, match=r"^label 7 is not in the label_map of 5 classes; correct one of them$"):
        value(metric, *case)
    assert value(DetectionAccuracy(), *case, meta=DatasetMeta()).value == 0.5


def test_boxes_have_to_be_in_the_original_image():
    with pytest.raises(OutputError, match=r"^boxes in the frame 'input' found, px of the original image expected; add"):
        value(DetectionAccuracy(), [annotated([], [])], [detected([], [], [], frame="input")])


def test_without_samples_there_is_no_comparison():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected to compare boxes$"):
        DetectionAccuracy().summarize([], META)
