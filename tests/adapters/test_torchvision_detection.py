import numpy as np
import pytest

from pytest_torchlauncher import rle
from pytest_torchlauncher.adapters.torchvision_detection import TorchvisionDetection
from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.types import Batch, Geometry, Label, Named, Outputs, Sample, ScoredBoxes

OWN = ["torchvision_detection"]


def batch(*geometries):
    samples = [
        Sample(str(i), np.zeros((4, 4, 3)), Label(0), original_size=g.original if g else (4, 4), geometry=g)
        for i, g in enumerate(geometries)
    ]
    return Batch(tuple(samples))


def outputs(**lists):
    return Outputs({name: tuple(np.array(part, np.float32) for part in parts) for name, parts in lists.items()})


GEOMETRY = Geometry.of((40, 60)).resized_to((20, 20)).padded_by(2, 0, 2, 0)


def test_boxes_return_to_the_original_image():
    found = outputs(boxes=[[[3, 4, 9, 12]], np.zeros((0, 4))], labels=[[2], []], scores=[[0.5], []])
    first, second = TorchvisionDetection().adapt(found, batch(GEOMETRY, Geometry.of((10, 10))))
    assert isinstance(first, ScoredBoxes)
    np.testing.assert_allclose(first.boxes, [[9, 4, 27, 20]])
    assert (first.labels.tolist(), first.scores.tolist(), first.frame) == ([2], [0.5], "original")
    assert (second.boxes.shape, second.labels.dtype, second.scores.dtype) == ((0, 4), np.int64, np.float64)


def test_masks_and_keypoints_are_further_predictions():
    mask = np.zeros((1, 24, 20), np.float32)
    mask[0, 6:14, 5:10] = 0.9
    found = outputs(
        boxes=[[[3, 4, 9, 12]]],
        labels=[[1]],
        scores=[[0.5]],
        masks=[[mask]],
        keypoints=[[[[5, 6, 1], [10, 12, 1]]]],
        keypoints_scores=[[[3.5, -1]]],
    )
    (named,) = TorchvisionDetection().adapt(found, batch(GEOMETRY))
    assert isinstance(named, Named)
    assert list(named.parts) == ["detection", "segmentation", "keypoints"]
    drawn = rle.decode(named.parts["segmentation"].masks[0])
    assert drawn.shape == (40, 60)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert np.abs(np.array([rows[0], rows[-1] + 1, columns[0], columns[-1] + 1]) - (8, 24, 15, 30)).max() <= 2
    points = named.parts["keypoints"]
    np.testing.assert_allclose(points.points, [[[15, 8], [30, 20]]])
    assert points.point_scores.tolist() == [[3.5, -1]]


def test_nothing_is_where_a_crop_does_not_show_the_image():
    mask = np.zeros((1, 10, 10), np.float32)
    mask[0, 4:, :5] = 1
    found = outputs(boxes=[[[0, 4, 5, 10]]], labels=[[1]], scores=[[0.5]], masks=[[mask]])
    (named,) = TorchvisionDetection().adapt(found, batch(Geometry.of((20, 30)).cropped_to(5, 10, (10, 10))))
    expected = np.zeros((20, 30), bool)
    expected[9:15, 10:15] = True
    np.testing.assert_array_equal(rle.decode(named.parts["segmentation"].masks[0]), expected)


def test_masks_of_an_unmoved_image_stay_bit_by_bit():
    mask = np.random.default_rng(0).random((1, 4, 4)).astype(np.float32)
    found = outputs(boxes=[[[0, 0, 4, 4]]], labels=[[1]], scores=[[1]], masks=[[mask]])
    for threshold in (0.5, 0.2):
        (named,) = TorchvisionDetection(mask_threshold=threshold).adapt(found, batch(Geometry.of((4, 4))))
        np.testing.assert_array_equal(rle.decode(named.parts["segmentation"].masks[0]), mask[0] > threshold)


def test_what_does_not_suit_is_told():
    found = outputs(boxes=[[[3, 4, 9, 12]]], labels=[[1]], scores=[[0.5]])
    with pytest.raises(OutputError) as unknown:
        TorchvisionDetection().adapt(found, batch(None))
    assert (
        unknown.value.message
        == "0: how the input came from the original image is not known; let the dataset give images, not tensors"
    )
    with pytest.raises(OutputError) as count:
        TorchvisionDetection().adapt(found, batch(GEOMETRY, GEOMETRY))
    assert count.value.message == (
        "{'boxes': 1, 'labels': 1, 'scores': 1} entries for a batch of 2 found, one a sample expected"
    )
    with pytest.raises(OutputError, match="no output is named 'boxes'; the module returned out"):
        TorchvisionDetection().adapt(outputs(out=[[1]]), batch(GEOMETRY))
