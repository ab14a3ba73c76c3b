"""The faster_rcnn_onnx adapter."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.adapters.faster_rcnn_onnx import FasterRCNNOnnx
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, Geometry, Label, Outputs, Sample, ScoredBoxes

MINIMAL = {"faster_rcnn_onnx": {"boxes_out": "boxes"}}

NAMES = {"boxes_out": "boxes", "labels_out": "labels", "scores_out": "scores"}
GEOMETRY = Geometry.of((100, 50)).resized_to((200, 200)).padded_by(8, 0, 0, 4)


def sample(geometry=GEOMETRY):
    data = np.zeros((8, 8, 3) if geometry else 3)
    return Sample("0.png", data, Label(0), original_size=(100, 50) if geometry else None, geometry=geometry)


def adapted(outputs, count=1, **options):
    batch = Batch((sample(),) * count)
    predictions = FasterRCNNOnnx(**(options or NAMES)).adapt(Outputs(outputs), batch)
    for prediction in predictions:
        assert (type(prediction), prediction.frame) == (ScoredBoxes, "original")
        assert (prediction.boxes.dtype, prediction.labels.dtype) == (np.float64, np.int64)
        assert (prediction.scores.dtype, prediction.boxes.shape) == (np.float64, (len(prediction), 4))
    return predictions


def found(count, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "boxes": rng.uniform(0, 200, (count, 4)).astype(np.float32),
        "labels": rng.integers(0, 90, count),
        "scores": rng.random(count).astype(np.float32),
    }


def check(prediction, outputs):
    boxes = outputs["boxes"].astype(np.float64)
    corners = np.stack([boxes[:, 0] / 4, (boxes[:, 1] - 8) / 2, boxes[:, 2] / 4, (boxes[:, 3] - 8) / 2], axis=1)
    ordered = np.concatenate(
        [np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])], 1
    )
    np.testing.assert_allclose(prediction.boxes, ordered, atol=1e-9)
    np.testing.assert_array_equal(prediction.labels, outputs["labels"])
    np.testing.assert_array_equal(prediction.scores, outputs["scores"])


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("with_batch", [False, True])
def test_a_single_image(count, with_batch):
    outputs = found(count)
    given = {name: array[np.newaxis] for name, array in outputs.items()} if with_batch else outputs
    (prediction,) = adapted(given)
    check(prediction, outputs)


@pytest.mark.parametrize("counts", [(3,), (2, 0, 4), (2, 2), (1, 1)])
def test_a_list_of_images(counts):
    images = [found(count, seed) for seed, count in enumerate(counts)]
    predictions = adapted({name: tuple(image[name] for image in images) for name in images[0]}, len(counts))
    for prediction, image in zip(predictions, images, strict=True):
        check(prediction, image)


def test_images_with_as_many_boxes_each():
    images = [found(3, seed) for seed in range(2)]
    predictions = adapted({name: np.stack([image[name] for image in images]) for name in images[0]}, 2)
    for prediction, image in zip(predictions, images, strict=True):
        check(prediction, image)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_scores_and_labels_in_columns(count):
    outputs = found(count)
    rows = np.column_stack([outputs["boxes"], outputs["scores"], outputs["labels"]]).astype(np.float32)
    check(adapted({"rows": rows}, boxes_out="rows")[0], outputs)
    for with_scores in (rows, rows[:, :5]):
        (prediction,) = adapted(
            {"rows": with_scores, "labels": outputs["labels"]}, boxes_out="rows", labels_out="labels"
        )
        check(prediction, outputs)


def test_outputs_are_chosen_by_name_or_expression():
    outputs = found(2)
    given = {f"model.{name}": array for name, array in outputs.items()}
    check(adapted(given, **{option: f".*{name}" for option, name in NAMES.items()})[0], outputs)
    with pytest.raises(OutputError, match=r"^no output is named 'boxes'; the module returned model\.boxes "):
        adapted(given, **NAMES)


def test_scores_need_labels():
    with pytest.raises(ValueError, match=r"^scores_out found without labels_out; name that output too, or neither$"):
        FasterRCNNOnnx(boxes_out="boxes", scores_out="scores")


def test_shapes_that_do_not_fit():
    outputs = found(3)
    with pytest.raises(OutputError) as caught:
        adapted({**outputs, "scores": outputs["scores"][:2]})
    assert str(caught.value) == "boxes (3, 4), labels (3,), scores (2,) found, (N, 4), (N,), (N,) expected"
    with pytest.raises(OutputError) as caught:
        adapted({"boxes": outputs["boxes"]}, boxes_out="boxes")
    assert str(caught.value) == "boxes (3, 4) found, six columns expected without scores_out and labels_out"
    with pytest.raises(OutputError) as caught:
        adapted(outputs, 2)
    assert str(caught.value) == "boxes: 3 entries for a batch of 2 found, one a sample expected; set batch: 1"


def test_the_way_back_must_be_known():
    outputs = Outputs(found(1))
    with pytest.raises(OutputError) as caught:
        FasterRCNNOnnx(**NAMES).adapt(outputs, Batch((sample(None),)))
    assert (
        str(caught.value)
        == "0.png: how the input came from the original image is not known; let the dataset give images, not tensors"
    )
