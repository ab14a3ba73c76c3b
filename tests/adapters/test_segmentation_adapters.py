import numpy as np
import pytest

from pytest_torchlauncher.adapters.segmentation import Segmentation
from pytest_torchlauncher.adapters.torchvision_segmentation import TorchvisionSegmentation
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, Geometry, Label, Mask, MaskScores, Outputs, Sample

OWN = ["torchvision_segmentation"]
RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(2, 5, 6, 8))


def batch(count=2, size=(6, 8), geometry=None):
    samples = [
        Sample(str(i), np.zeros((*size, 3)), Label(0), original_size=size, geometry=geometry) for i in range(count)
    ]
    return Batch(tuple(samples))


def outputs(array, name="out"):
    return Outputs({"other": np.zeros(1), name: array} if name == "out" else {name: array})


@pytest.mark.parametrize(
    "array", [SCORES, SCORES.transpose(0, 2, 3, 1), SCORES.transpose(0, 2, 3, 1).reshape(2, 48, 5)]
)
def test_scores_in_every_order(array):
    predictions = Segmentation().adapt(Outputs({"out": array}), batch())
    assert all(isinstance(prediction, MaskScores) and prediction.frame == "input" for prediction in predictions)
    np.testing.assert_array_equal([prediction.values for prediction in predictions], SCORES)


def test_labels_of_scores():
    predictions = Segmentation(make_argmax=True).adapt(Outputs({"out": SCORES}), batch())
    np.testing.assert_array_equal([prediction.labels for prediction in predictions], SCORES.argmax(axis=1))
    assert all(isinstance(prediction, Mask) and prediction.frame == "input" for prediction in predictions)


def test_a_reduced_output_and_one_with_more_classes_than_pixels():
    reduced = RNG.normal(size=(1, 150, 3, 4))
    (prediction,) = Segmentation().adapt(Outputs({"out": reduced}), batch(1))
    assert prediction.values.shape == (150, 3, 4)
    (prediction,) = Segmentation().adapt(Outputs({"out": reduced.transpose(0, 2, 3, 1)}), batch(1))
    assert prediction.values.shape == (150, 3, 4)


def test_labels_as_they_are():
    labels = RNG.integers(0, 5, (2, 6, 8))
    for array in (labels, labels.astype(np.float32)):
        predictions = Segmentation().adapt(Outputs({"out": array}), batch())
        np.testing.assert_array_equal([prediction.labels for prediction in predictions], labels)
        assert predictions[0].labels.dtype == np.int64


def test_a_single_image_without_the_axis_of_the_batch():
    (prediction,) = Segmentation().adapt(Outputs({"out": SCORES[0]}), batch(1))
    np.testing.assert_array_equal(prediction.values, SCORES[0])


def test_other_outputs_are_told():
    with pytest.raises(OutputError) as axes:
        Segmentation().adapt(Outputs({"out": np.zeros((2, 3))}), batch())
    assert axes.value.message == "an output (2, 3) for a batch of 2 found, (B, C, H, W) expected"
    with pytest.raises(OutputError) as fractions:
        Segmentation().adapt(Outputs({"out": np.full((2, 6, 8), 0.5)}), batch())
    assert fractions.value.message == "fractions in an output (6, 8) found, a label for every pixel expected"


def test_torchvision_models_give_labels_of_the_original():
    geometry = Geometry.of((12, 16)).resized_to((6, 8))
    predictions = TorchvisionSegmentation().adapt(outputs(SCORES), batch(geometry=geometry))
    expected = SCORES.argmax(axis=1).repeat(2, 1).repeat(2, 2)
    np.testing.assert_array_equal([prediction.labels for prediction in predictions], expected)
    assert predictions[0].frame == "original"
    cropped = Geometry.of((6, 10)).cropped_to(0, 2, (6, 8))
    (prediction, _) = TorchvisionSegmentation().adapt(outputs(SCORES), batch(geometry=cropped))
    assert (prediction.labels[:, :2] == -1).all()


def test_torchvision_outputs_by_name_and_without_a_known_geometry():
    predictions = TorchvisionSegmentation(output="aux").adapt(outputs(SCORES, "aux"), batch())
    assert (predictions[0].frame, predictions[0].labels.shape) == ("input", (6, 8))
    assert TorchvisionSegmentation().adapt(outputs(SCORES, "first"), batch())[1].labels.shape == (6, 8)


def test_other_torchvision_outputs_are_told():
    with pytest.raises(OutputError) as axes:
        TorchvisionSegmentation().adapt(outputs(SCORES[:1]), batch())
    assert axes.value.message == "an output (1, 5, 6, 8) found, (2, C, H, W) expected"
    with pytest.raises(OutputError, match="no output is named 'aux'"):
        TorchvisionSegmentation(output="aux").adapt(outputs(SCORES), batch())


def test_classes_come_first_where_both_orders_fit():
    scores = RNG.normal(size=(1, 150, 120, 96))
    for size in ((480, 384), (481, 383)):
        (prediction,) = Segmentation().adapt(Outputs({"out": scores}), batch(1, size))
        assert prediction.values.shape == (150, 120, 96)
    (prediction,) = Segmentation().adapt(Outputs({"out": RNG.normal(size=(1, 2, 128, 240))}), batch(1, (128, 240)))
    assert prediction.values.shape == (2, 128, 240)


@pytest.mark.parametrize("make_argmax", [False, True])
def test_a_single_channel_holds_labels(make_argmax):
    labels = RNG.integers(0, 5, (2, 1, 6, 8))
    for array in (labels, labels.astype(np.float32), labels.transpose(0, 2, 3, 1)):
        predictions = Segmentation(make_argmax=make_argmax).adapt(Outputs({"out": array}), batch())
        np.testing.assert_array_equal([prediction.labels for prediction in predictions], labels[:, 0])
    with pytest.raises(OutputError) as caught:
        Segmentation(make_argmax=make_argmax).adapt(Outputs({"out": labels + 0.5}), batch())
    assert caught.value.message == "fractions in an output (6, 8) found, a label for every pixel expected"
