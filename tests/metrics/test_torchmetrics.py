"""The torchmetrics metric against torchmetrics itself."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
import torchmetrics
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import f1_score, roc_auc_score

from pytest_torchlauncher.config.document import read_document
from pytest_torchlauncher.errors import DataError, MissingExtraError, OutputError
from pytest_torchlauncher.metrics.torchmetrics import TorchMetrics
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import (
    Attributes,
    Boxes,
    DatasetMeta,
    Image,
    Label,
    Mask,
    MaskScores,
    Matte,
    Named,
    ScoredBoxes,
    Scores,
    Text,
    Values,
)

OWN = ["torchmetrics"]
MINIMAL = {"torchmetrics": {"metric": "torchmetrics.classification.MulticlassAUROC"}}

NAMES = DatasetMeta({0: "cat", 1: "dog", 2: "cow"})
CLASSIFICATION = "torchmetrics.classification."


def measured(metric, annotations, predictions, meta=NAMES, rises=None, **kwargs):
    options = {"metric": metric, "kwargs": kwargs, "higher_is_better": rises}
    block = construct(TorchMetrics, options, Context())
    return block.summarize(block.observe(annotations, predictions), meta)


def direct(metric, predictions, targets):
    metric.update(predictions, targets)
    return metric.compute()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 150))
def test_scores_and_labels(seed, count):
    rng = np.random.default_rng(seed)
    # Rounded, so that scores tie.
    scores, labels = rng.normal(size=(count, 3)).round(1).astype(np.float32), rng.integers(0, 3, count)
    rows, targets = list(map(Scores, scores)), [Label(int(label)) for label in labels]
    result = measured(f"{CLASSIFICATION}MulticlassF1Score", targets, rows, num_classes=3, average="macro")
    present = np.unique([labels, scores.argmax(axis=1)])
    expected = f1_score(labels, scores.argmax(axis=1), average="macro", labels=present)
    assert result.value == pytest.approx(expected, abs=1e-6)
    assert (result.higher_is_better, result.bounded, result.per_sample, result.components) == (True, True, None, {})


def test_more_than_one_chunk_and_any_order_of_evidence():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(200, 3)), rng.integers(0, 3, 200)
    scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    block = TorchMetrics(metric=f"{CLASSIFICATION}MulticlassAUROC", kwargs={"num_classes": 3})
    evidence = block.observe([Label(int(label)) for label in labels], list(map(Scores, scores)))
    expected = roc_auc_score(labels, scores, multi_class="ovr")
    assert block.summarize(evidence, NAMES).value == pytest.approx(expected, abs=1e-6)
    chosen = rng.integers(0, 200, 90)
    expected = roc_auc_score(labels[chosen], scores[chosen], multi_class="ovr")
    resampled = block.summarize([evidence[place] for place in chosen], NAMES)
    assert resampled.value == pytest.approx(expected, abs=1e-6)


def test_several_numbers_are_components():
    labels, predicted = [0, 0, 1, 1], [0, 1, 1, 1]
    pairs = [Label(label) for label in labels], [Label(label) for label in predicted]
    options = {"num_classes": 3, "average": None}
    result = measured(f"{CLASSIFICATION}MulticlassRecall", *pairs, **options)
    assert result.components == {"cat": 0.5, "dog": 1.0, "cow": 0.0}
    assert result.value == pytest.approx(0.5)
    assert list(measured(f"{CLASSIFICATION}MulticlassRecall", *pairs, DatasetMeta(), **options).components) == list(
        "012"
    )
    with pytest.raises(DataError) as caught:
        measured(f"{CLASSIFICATION}MulticlassConfusionMatrix", *pairs, rises=True, num_classes=2)
    assert str(caught.value) == (
        "torchmetrics.classification.MulticlassConfusionMatrix computed numbers (2, 2), one number, one a class or a "
        "mapping expected"
    )


@pytest.mark.parametrize(("rises", "expected"), [(True, True), (False, False)])
def test_which_way_is_better(rises, expected):
    options = {"num_classes": 2, "average": "macro"}
    pairs = [Label(0), Label(1)], [Scores(np.array([0.8, 0.2])), Scores(np.array([0.7, 0.3]))]
    assert measured(f"{CLASSIFICATION}MulticlassEER", *pairs, rises=rises, **options).higher_is_better is expected
    assert measured(f"{CLASSIFICATION}MulticlassAccuracy", *pairs, **options).higher_is_better is True
    assert measured(f"{CLASSIFICATION}MulticlassAccuracy", *pairs, rises=rises, **options).higher_is_better is expected
    with pytest.raises(OutputError) as caught:
        TorchMetrics(metric=f"{CLASSIFICATION}MulticlassEER", kwargs=options).observe([], [])
    assert str(caught.value) == (
        "torchmetrics.classification.MulticlassEER does not say whether higher values are better; set higher_is_better"
    )


@pytest.mark.parametrize(
    ("metric", "predictions", "message"),
    [
        (
            "BinaryAccuracy",
            [Scores(np.array([0.8, 0.2]))] * 2,
            "torchmetrics.classification.BinaryAccuracy refuses 2 x (2,) and 2 x (): ",
        ),
        (
            "BinaryAUROC",
            [Scores(np.array([0.8, 0.1, 0.1]))] * 2,
            "torchmetrics.classification.BinaryAUROC refuses 2 x (3,) and 2 x (): ",
        ),
    ],
)
def test_what_a_metric_refuses_is_told_in_one_line(metric, predictions, message):
    with pytest.raises(DataError) as caught:
        measured(f"{CLASSIFICATION}{metric}", [Label(0), Label(1)], predictions)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("; correct metric or kwargs")
    assert "\n" not in str(caught.value)


def test_a_class_that_is_nan_is_left_out():
    values = [Values(np.array([1.0, 5.0])), Values(np.array([2.0, 5.0])), Values(np.array([4.0, 5.0]))]
    found = [Values(np.array([1.0, 5.0])), Values(np.array([2.5, 5.0])), Values(np.array([3.5, 5.0]))]
    result = measured("torchmetrics.regression.PearsonCorrCoef", values, found, rises=True, num_outputs=2)
    expected = np.corrcoef([1, 2, 4], [1, 2.5, 3.5])[0, 1]
    assert result.components == pytest.approx({"0": expected}, abs=1e-6)
    assert result.value == pytest.approx(expected, abs=1e-6)
    constant = [Values(np.array([5.0, 5.0]))] * 3
    with pytest.warns(UserWarning, match="Setting the correlation coefficient to nan"):
        result = measured("torchmetrics.regression.PearsonCorrCoef", constant, constant, rises=True, num_outputs=2)
    assert np.isnan(result.value)
    assert result.components == {}


def test_a_lone_score_or_value_is_a_number():
    labels, scores = [1, 0, 1, 0], [0.9, 0.3, 0.2, 0.1]
    annotations = [Label(label) for label in labels]
    predictions = [Scores(np.array([score], np.float32)) for score in scores]
    result = measured(f"{CLASSIFICATION}BinaryAUROC", annotations, predictions)
    assert result.value == pytest.approx(roc_auc_score(labels, scores))
    annotations = [Values(np.array([float(label)])) for label in labels]
    predictions = [Values(np.array([score])) for score in scores]
    result = measured("torchmetrics.regression.SpearmanCorrCoef", annotations, predictions)
    assert result.value == pytest.approx(spearmanr(scores, labels).statistic, abs=1e-6)


def test_values_of_any_shape():
    rng = np.random.default_rng(0)
    targets, found = rng.normal(size=(2, 70, 2, 3))
    result = measured("torchmetrics.MeanSquaredError", list(map(Values, targets)), list(map(Values, found)))
    assert result.value == pytest.approx(((targets - found) ** 2).mean(), abs=1e-6)
    assert (result.higher_is_better, result.bounded) == (False, False)


def test_attributes():
    rng = np.random.default_rng(0)
    targets, scores = rng.integers(-1, 2, (30, 4)), rng.random((30, 4)).astype(np.float32)
    metric = torchmetrics.classification.MultilabelAccuracy(num_labels=4, ignore_index=-1, average="micro")
    expected = float(direct(metric, torch.tensor(scores), torch.tensor(targets)))
    name, options = f"{CLASSIFICATION}MultilabelAccuracy", {"num_labels": 4, "ignore_index": -1, "average": "micro"}
    annotations = list(map(Attributes, targets))
    assert measured(name, annotations, list(map(Scores, scores)), **options).value == pytest.approx(expected)
    decided = [Attributes((row > 0.5).astype(np.int64)) for row in scores]
    assert measured(name, annotations, decided, **options).value == pytest.approx(expected)


def test_masks_of_any_sizes():
    rng = np.random.default_rng(0)
    sizes = [(4, 5), (4, 5), (6, 3), (4, 5)]
    targets = [rng.integers(-1, 3, size) for size in sizes]
    scores = [rng.normal(size=(3, *size)).astype(np.float32) for size in sizes]
    metric = torchmetrics.classification.MulticlassJaccardIndex(3, ignore_index=-1)
    metric.update(
        torch.from_numpy(np.concatenate([score.reshape(3, -1).argmax(axis=0) for score in scores])),
        torch.from_numpy(np.concatenate([target.ravel() for target in targets])),
    )
    expected = float(metric.compute())
    name, options = f"{CLASSIFICATION}MulticlassJaccardIndex", {"num_classes": 3, "ignore_index": -1}
    annotations = list(map(Mask, targets))
    assert measured(name, annotations, list(map(MaskScores, scores)), **options).value == pytest.approx(expected)
    decided = [Mask(score.argmax(axis=0)) for score in scores]
    assert measured(name, annotations, decided, **options).value == pytest.approx(expected)


def test_images():
    rng = np.random.default_rng(0)
    targets, found = rng.integers(0, 256, (2, 3, 12, 13, 3)).astype(np.uint8)
    result = measured(
        "torchmetrics.image.StructuralSimilarityIndexMeasure",
        list(map(Image, targets)),
        [Image(image.astype(np.float64)) for image in found],
        data_range=255.0,
    )
    metric = torchmetrics.image.StructuralSimilarityIndexMeasure(data_range=255.0)
    channels_first = [torch.tensor(images).permute(0, 3, 1, 2).float() for images in (found, targets)]
    assert result.value == pytest.approx(float(direct(metric, *channels_first)), abs=1e-6)


def test_texts():
    targets, found = ["the cat sat", "a b c d"], ["the cat", "a x c d"]
    result = measured("torchmetrics.text.WordErrorRate", list(map(Text, targets)), list(map(Text, found)))
    assert result.value == pytest.approx(2 / 7)
    assert (result.higher_is_better, result.bounded) == (False, True)


def test_boxes_and_the_first_number_of_a_mapping():
    rng = np.random.default_rng(0)
    annotations, predictions = [], []
    for count in (2, 0, 3):
        low = rng.uniform(0, 50, (count, 2))
        boxes, labels = np.hstack([low, low + rng.uniform(5, 40, (count, 2))]), rng.integers(0, 2, count)
        annotations.append(Boxes(boxes, labels, crowd=np.arange(count) == 2))
        noisy = np.vstack([boxes + rng.normal(size=(count, 4)), [[0.0, 0, 9, 9]]])
        predictions.append(ScoredBoxes(noisy, np.append(labels, 0), rng.random(count + 1)))
    name, options = "torchmetrics.detection.MeanAveragePrecision", {"backend": "faster_coco_eval"}
    result = measured(name, annotations, predictions, **options)
    metric = torchmetrics.detection.MeanAveragePrecision(**options)
    found = [{key: torch.tensor(getattr(p, key)) for key in ("boxes", "labels", "scores")} for p in predictions]
    wanted = [{key: torch.tensor(getattr(a, key)) for key in ("boxes", "labels")} for a in annotations]
    wanted = [{**w, "iscrowd": torch.tensor(a.crowd.astype(int))} for w, a in zip(wanted, annotations, strict=True)]
    expected = direct(metric, found, wanted)
    assert 0 < float(expected["map"]) < 1
    assert result.value == pytest.approx(float(expected["map"]))
    assert result.components["map_50"] == pytest.approx(float(expected["map_50"]))
    assert "classes" not in result.components


def test_boxes_must_be_in_px_of_the_image():
    predictions = [ScoredBoxes(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0), "input")]
    with pytest.raises(OutputError, match=r"^boxes in the frame 'input' found, px of the original image expected; add"):
        measured(
            "torchmetrics.detection.IntersectionOverUnion", [Boxes(np.zeros((0, 4)), np.zeros(0, int))], predictions
        )


def test_options_of_a_launcher_file(tmp_path):
    file = tmp_path / "a.launcher.yml"
    file.write_text(f"metric: {CLASSIFICATION}MulticlassAccuracy\nkwargs: {{num_classes: 3, average: micro}}\n")
    block = construct(TorchMetrics, read_document(file)[0], Context())
    evidence = block.observe([Label(0), Label(1)], [Label(0), Label(2)])
    assert block.summarize(evidence, NAMES).value == 0.5
    assert block.summarize(evidence[:1], NAMES).value == 1.0


@pytest.mark.parametrize(
    ("annotation", "prediction", "found"),
    [
        (Label(0), Values(np.zeros(1)), "Label and Values"),
        (Matte(np.zeros((2, 2))), Matte(np.zeros((2, 2))), "Matte and Matte"),
        (Named({"a": Label(0)}), Label(0), "Named and Label"),
    ],
)
def test_what_has_no_natural_tensors(annotation, prediction, found):
    with pytest.raises(OutputError) as caught:
        measured("torchmetrics.MeanSquaredError", [annotation], [prediction])
    assert str(caught.value) == (
        f"{found} found, an annotation and a prediction of one of these expected: Label and Scores, Label and Label, "
        "Attributes and Scores, Attributes and Attributes, Values and Values, Mask and MaskScores, Mask and Mask, "
        "Image and Image, Text and Text, Boxes and ScoredBoxes"
    )


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (
            "nowhere.Metric",
            "metric: nowhere.Metric cannot be imported: No module named 'nowhere'; install what it needs",
        ),
        (
            "torchmetrics.MeanSquaredErorr",
            "metric: torchmetrics has no part 'MeanSquaredErorr'; did you mean 'MeanSquaredError'?",
        ),
        (
            "torchmetrics.regression",
            "metric: torchmetrics.regression is no class of a torchmetrics.Metric, one expected",
        ),
        ("collections.Counter", "metric: collections.Counter is no class of a torchmetrics.Metric, one expected"),
    ],
)
def test_what_is_no_metric_is_told_with_the_first_batch(metric, message):
    with pytest.raises(OutputError) as caught:
        TorchMetrics(metric=metric).observe([], [])
    assert str(caught.value) == message


def test_arguments_that_it_does_not_take_are_told_with_the_first_batch():
    options = {"num_classes": 3, "average": "mean"}
    with pytest.raises(OutputError) as caught:
        TorchMetrics(metric=f"{CLASSIFICATION}MulticlassRecall", kwargs=options).observe([], [])
    assert str(caught.value) == (
        "kwargs: torchmetrics.classification.MulticlassRecall cannot be built: ValueError: Expected argument `average` "
        "to be one of ('micro', 'macro', 'weighted', 'none', None), but got mean"
    )


def test_what_is_no_dotted_path():
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        TorchMetrics(metric="MulticlassAUROC")
    assert str(caught.value) == ("metric: 'MulticlassAUROC' found, a dotted path such as package.module.name expected")


def test_without_samples_there_is_no_value():
    with pytest.raises(DataError, match=r"^no sample found, at least one expected for torchmetrics\.MeanSquaredError$"):
        TorchMetrics(metric="torchmetrics.MeanSquaredError").summarize([], NAMES)


def test_a_curve_is_no_value():
    with pytest.raises(DataError) as caught:
        measured(
            f"{CLASSIFICATION}BinaryROC", [Label(0), Label(1)], [Scores(np.array([s])) for s in (0.2, 0.7)], rises=True
        )
    assert str(caught.value) == (
        "torchmetrics.classification.BinaryROC computed a tuple, one number, one a class or a mapping expected"
    )


def test_torchmetrics_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(MissingExtraError) as caught:
        TorchMetrics(metric="torchmetrics.MeanSquaredError").observe([], [])
    assert str(caught.value) == 'torchmetrics is not installed; run pip install "pytest-torchlauncher[torchmetrics]"'
