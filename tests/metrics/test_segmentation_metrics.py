"""Metrics of a confusion matrix over pixels, against torchmetrics and scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score
from torchmetrics.classification import MulticlassF1Score, MulticlassJaccardIndex

from pytest_torchlauncher.errors import DataError, OutputError
from pytest_torchlauncher.metrics.dice import Dice
from pytest_torchlauncher.metrics.frequency_weighted_accuracy import FrequencyWeightedAccuracy
from pytest_torchlauncher.metrics.mean_accuracy import MeanAccuracy
from pytest_torchlauncher.metrics.mean_iou import MeanIou
from pytest_torchlauncher.metrics.segmentation_accuracy import SegmentationAccuracy
from pytest_torchlauncher.types import DatasetMeta, Mask, MaskScores

CLASSES = 5
META = DatasetMeta({index: f"class {index}" for index in range(CLASSES)})
METRICS = (SegmentationAccuracy, MeanIou, MeanAccuracy, FrequencyWeightedAccuracy, Dice)
every_metric = pytest.mark.parametrize("metric", METRICS)
seeds = st.integers(0, 2**32)


def images(seed, void=True):
    """Return annotations and predictions of different sizes: some classes are absent, some pixels are void."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(CLASSES, rng.integers(1, CLASSES + 1), replace=False)
    annotations, predictions = [], []
    for _ in range(rng.integers(1, 4)):
        size = rng.integers(1, 12, 2)
        truth, labels = rng.choice(classes, size), rng.choice(classes, size)
        labels = np.where(rng.random(size) < 0.5, truth, labels)
        if void:
            truth = np.where(rng.random(size) < 0.2, 255, truth)
            labels = np.where(rng.random(size) < 0.1, -1, labels)
        annotations.append(Mask(truth.astype(np.uint8)))
        predictions.append(Mask(labels))
    return annotations, predictions


def measured(metric, annotations, predictions):
    return metric.summarize(metric.observe(annotations, predictions), META)


def counted(annotations, predictions):
    """Return the annotated and predicted classes (N,) of the pixels that count."""
    truth = np.concatenate([annotation.labels.reshape(-1).astype(int) for annotation in annotations])
    labels = np.concatenate([prediction.labels.reshape(-1) for prediction in predictions])
    valid = (truth < CLASSES) & (labels >= 0)
    return truth[valid], labels[valid]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seeds)
def test_values_by_scikit_learn(seed):
    annotations, predictions = images(seed)
    truth, labels = counted(annotations, predictions)
    if not truth.size:
        return
    present = sorted({*truth, *labels})
    iou = jaccard_score(truth, labels, labels=present, average=None, zero_division=0)
    matrix = confusion_matrix(truth, labels, labels=range(CLASSES))
    found = {metric: measured(metric(), annotations, predictions) for metric in METRICS}
    assert found[SegmentationAccuracy].value == pytest.approx(accuracy_score(truth, labels))
    assert found[MeanIou].value == pytest.approx(iou.mean())
    assert found[MeanIou].components == pytest.approx({f"class {c}": i for c, i in zip(present, iou, strict=True)})
    annotated = matrix.sum(axis=1) > 0
    recalls = (np.diag(matrix)[annotated] / matrix.sum(axis=1)[annotated]).mean()
    assert found[MeanAccuracy].value == pytest.approx(recalls)
    weighted = jaccard_score(truth, labels, labels=present, average="weighted", zero_division=0)
    assert found[FrequencyWeightedAccuracy].value == pytest.approx(weighted)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seeds)
def test_values_by_torchmetrics(seed):
    annotations, predictions = images(seed)
    truth, labels = (torch.tensor(values) for values in counted(annotations, predictions))
    if not len(truth):
        return
    for metric, oracle in ((MeanIou, MulticlassJaccardIndex), (Dice, MulticlassF1Score)):
        values = oracle(CLASSES, average="none")(labels, truth)
        present = sorted({*truth.tolist(), *labels.tolist()})
        expected = {f"class {label}": float(values[label]) for label in present}
        found = measured(metric(), annotations, predictions)
        assert found.components == pytest.approx(expected, abs=1e-6)
        assert found.value == pytest.approx(np.mean(list(expected.values())), abs=1e-6)


@every_metric
@settings(max_examples=20, deadline=None, derandomize=True)
@given(seeds)
def test_an_image_alone_and_any_collection(metric, seed):
    annotations, predictions = images(seed)
    evidence = metric().observe(annotations, predictions)
    whole = metric().summarize(evidence, META)
    alone = [metric().summarize([one], META).value for one in evidence]
    np.testing.assert_array_equal(whole.per_sample, alone)
    again = metric().summarize([evidence[0], *evidence, evidence[0]], META)
    repeated = measured(
        metric(), [annotations[0], *annotations, annotations[0]], [predictions[0], *predictions, predictions[0]]
    )
    assert again.value == pytest.approx(repeated.value, nan_ok=True)


@every_metric
def test_matrices_are_held_a_few_at_a_time(metric, monkeypatch):
    evidence = [item for seed in range(20) for item in metric().observe(*images(seed))]
    whole = metric().summarize(evidence, META)
    monkeypatch.setattr("pytest_torchlauncher.metrics._confusion._CELLS", 3 * CLASSES**2)
    parts = metric().summarize(evidence, META)
    assert (parts.value, parts.components) == (whole.value, whole.components)
    np.testing.assert_array_equal(parts.per_sample, whole.per_sample)


@every_metric
@pytest.mark.parametrize("ignored", [2, 255])
def test_an_ignored_class_counts_on_neither_side(metric, ignored):
    annotations, predictions = images(11)
    found = measured(metric(ignore_label=ignored), annotations, predictions)
    voided = [
        (Mask(np.where(a.labels == ignored, 255, a.labels)), Mask(np.where(p.labels == ignored, -1, p.labels)))
        for a, p in zip(annotations, predictions, strict=True)
    ]
    expected = measured(metric(), *map(list, zip(*voided, strict=True)))
    assert (found.value, found.components) == (expected.value, expected.components)


@every_metric
def test_scores_are_their_highest_class(metric):
    annotations, predictions = images(5, void=False)
    scores = [MaskScores(np.eye(CLASSES)[p.labels].transpose(2, 0, 1) * 0.3 + 0.1) for p in predictions]
    assert measured(metric(), annotations, scores).value == measured(metric(), annotations, predictions).value
    assert (
        measured(metric(use_argmax=False), annotations, predictions).value
        == measured(metric(), annotations, predictions).value
    )


@every_metric
def test_masks_without_a_pixel_that_counts_have_no_value(metric):
    found = measured(metric(), [Mask(np.full((2, 2), 255))], [Mask(np.zeros((2, 2), int))])
    assert np.isnan(found.value)
    assert found.components == {}


def test_by_hand():
    annotations, predictions = [Mask(np.array([[0, 0, 1, 1]]))], [Mask(np.array([[0, 1, 1, 2]]))]
    values = {metric.__name__: measured(metric(), annotations, predictions).value for metric in METRICS}
    assert values == pytest.approx(
        {
            "SegmentationAccuracy": 2 / 4,
            "MeanIou": (1 / 2 + 1 / 3 + 0) / 3,
            "MeanAccuracy": (1 / 2 + 1 / 2) / 2,
            "FrequencyWeightedAccuracy": (1 / 2 + 1 / 3) / 2,
            "Dice": (2 / 3 + 2 / 4 + 0) / 3,
        }
    )


def test_messages():
    metric, mask = MeanIou(), Mask(np.zeros((4, 5), int))
    cases = [
        (
            Mask(np.zeros((4, 5, 3))),
            mask,
            "annotation (4, 5, 3) found, labels (H, W) expected: add encode_segmentation_mask",
        ),
        (
            mask,
            Mask(np.zeros((2, 3), int)),
            "a prediction (2, 3) for an annotation (4, 5) found, equal sizes expected; add resize_segmentation_mask",
        ),
    ]
    for annotation, prediction, message in cases:
        with pytest.raises(OutputError) as error:
            metric.observe([annotation], [prediction])
        assert error.value.message == message
    with pytest.raises(OutputError) as scores:
        MeanIou(use_argmax=False).observe([mask], [MaskScores(np.zeros((3, 4, 5)))])
    assert scores.value.message == (
        "scores (3, 4, 5) found with use_argmax: false, labels expected; remove it, or let the adapter make_argmax"
    )
    with pytest.raises(DataError, match="no sample found, at least one expected for a confusion matrix"):
        metric.summarize([], META)
    with pytest.raises(DataError, match="the dataset has no label_map"):
        metric.summarize(metric.observe([mask], [mask]), DatasetMeta())
