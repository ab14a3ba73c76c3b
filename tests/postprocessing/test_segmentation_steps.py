"""Steps on masks: sizes, colours, labels."""

import numpy as np
import pytest
from PIL import Image as Picture

from pytest_torchlauncher.errors import OutputError
from pytest_torchlauncher.postprocessing._mask_resizer import resize_nearest
from pytest_torchlauncher.postprocessing.encode_segmentation_mask import EncodeSegmentationMask
from pytest_torchlauncher.postprocessing.resize_segmentation_mask import ResizeSegmentationMask
from pytest_torchlauncher.postprocessing.shift import Shift
from pytest_torchlauncher.types import DatasetMeta, Geometry, Label, Mask, MaskScores, Matte, Named, Pair, Sample, Text

MINIMAL = {
    "encode_segmentation_mask": {"apply_to": "all"},
    "resize_segmentation_mask": {"apply_to": "prediction"},
    "shift": {"apply_to": "annotation"},
}
META = DatasetMeta(
    {0: "road", 1: "sky"}, segmentation_colors=((9, 9, 9), (1, 2, 3)), prediction_to_gt_labels={0: 1, 7: 0}
)


def pair(annotation=None, prediction=None, geometry=None, meta=META):
    annotation = annotation or Mask(np.zeros((6, 8), int))
    prediction = prediction or Mask(np.zeros((6, 8), int))
    size = geometry.original if geometry else (6, 8)
    sample = Sample("a", np.zeros((4, 4, 3)), annotation, original_size=size, geometry=geometry)
    return Pair(annotation, prediction, sample, meta)


def test_a_prediction_covers_the_original_by_its_geometry():
    labels = np.arange(12).reshape(3, 4)
    geometry = Geometry.of((6, 16)).resized_to((6, 8)).cropped_to(0, 2, (6, 4))
    done = ResizeSegmentationMask(apply_to="prediction").apply(
        pair(prediction=Mask(labels, "input"), geometry=geometry)
    )
    assert (done.prediction.frame, done.prediction.labels.shape) == ("original", (6, 16))
    np.testing.assert_array_equal(done.prediction.labels[:, 4:12], labels.repeat(2, 0).repeat(2, 1))
    assert (np.delete(done.prediction.labels, slice(4, 12), axis=1) == -1).all()
    assert done.annotation is not done.prediction


def test_scores_and_mattes_keep_their_values():
    rng = np.random.default_rng(0)
    scores, matte = rng.normal(size=(5, 4, 4)).astype(np.float32), rng.integers(0, 256, (4, 4)).astype(np.uint8)
    geometry = Geometry.of((8, 8)).resized_to((4, 4))
    step = ResizeSegmentationMask(apply_to="prediction")
    done = step.apply(pair(prediction=MaskScores(scores, "input"), geometry=geometry)).prediction
    np.testing.assert_array_equal(done.values, scores.repeat(2, 1).repeat(2, 2))
    done = step.apply(pair(prediction=Matte(matte, "input"), geometry=geometry)).prediction
    np.testing.assert_array_equal(done.values, matte.repeat(2, 0).repeat(2, 1))


def test_a_mask_of_the_original_size_stays():
    labels = np.array([[-1, 300], [5, 2]])
    done = ResizeSegmentationMask(apply_to="all").apply(
        pair(Mask(labels), Mask(labels, "input"), geometry=Geometry.of((2, 2)))
    )
    assert done.annotation.labels.tolist() == done.prediction.labels.tolist() == labels.tolist()


@pytest.mark.parametrize("options", [{"size": 5}, {"dst_width": 5, "dst_height": 5}])
def test_annotations_at_a_size_as_pillow(options):
    labels = np.random.default_rng(0).integers(0, 200, (13, 7)).astype(np.uint8)
    done = ResizeSegmentationMask(apply_to="annotation", **options).apply(pair(Mask(labels)))
    expected = Picture.fromarray(labels).resize((5, 5), Picture.Resampling.NEAREST)
    np.testing.assert_array_equal(done.annotation.labels, expected)


def test_coloured_masks_are_resized_by_channel():
    colors = np.random.default_rng(0).integers(0, 200, (6, 6, 3)).astype(np.uint8)
    done = ResizeSegmentationMask(apply_to="annotation", size=3).apply(pair(Mask(colors)))
    assert done.annotation.labels.tolist() == colors[1::2, 1::2].tolist()


def test_to_the_size_after_the_last_resize():
    geometry = Geometry.of((6, 8)).resized_to((3, 4)).padded_by(1, 1, 1, 1)
    step = ResizeSegmentationMask(apply_to="annotation", to_dst_image_size=True)
    assert step.apply(pair(geometry=geometry)).annotation.labels.shape == (3, 4)


@pytest.mark.parametrize(
    ("mask", "stretched"),
    [
        (np.array([[0.1, 0.5], [0.9, 0.3]]), [[0, 128], [255, 64]]),
        (np.array([[0, 1], [18, -1]], np.int16), [[13, 27], [255, 0]]),
        (np.array([[0, 1], [18, 3]], np.int64), [[0, 1], [18, 3]]),
    ],
)
def test_under_compat_masks_are_stretched(mask, stretched):
    step = ResizeSegmentationMask(apply_to="prediction", size=2, compat="accuracy_checker")
    assert step.apply(pair(prediction=Mask(mask))).prediction.labels.tolist() == stretched


def test_under_compat_scores_are_stretched_class_by_class():
    scores = np.array([[[0.1, 0.5]], [[0.4, 0.6]]])
    step = ResizeSegmentationMask(apply_to="prediction", compat="accuracy_checker")
    done = step.apply(pair(prediction=MaskScores(scores, "input"), geometry=Geometry.of((1, 2)))).prediction
    assert done.values.tolist() == [[[0, 255]], [[0, 255]]]
    assert scores.argmax(axis=0).tolist() != done.values.argmax(axis=0).tolist()


def test_sizes_that_are_not_known_or_not_whole():
    with pytest.raises(ValueError, match="only one of dst_width and dst_height found, both expected"):
        ResizeSegmentationMask(apply_to="all", dst_width=3)
    step, sample = ResizeSegmentationMask(apply_to="prediction"), Sample("a", np.zeros(3), Label(0))
    with pytest.raises(OutputError) as unknown:
        step.apply(Pair(Mask(np.zeros((2, 2))), Mask(np.zeros((2, 2)), "input"), sample))
    assert unknown.value.message == "a: the size of the image is not known; give size, or resize it first"
    with pytest.raises(OutputError) as lost:
        step.apply(pair(prediction=Mask(np.zeros((2, 2), int), "input")))
    assert (
        lost.value.message
        == "a: how the input came from the original image is not known; let the dataset give images, not tensors"
    )


def test_colours_become_labels():
    image = np.array([[[9, 9, 9], [1, 2, 3]], [[4, 4, 4], [1, 2, 3]]], np.uint8)
    done = EncodeSegmentationMask(apply_to="annotation").apply(pair(Mask(image)))
    assert done.annotation.labels.tolist() == [[0, 1], [0, 1]]
    again = EncodeSegmentationMask(apply_to="annotation").apply(done)
    assert again.annotation.labels.tolist() == [[0, 1], [0, 1]]


def test_predicted_labels_become_those_of_the_annotations():
    step = EncodeSegmentationMask(apply_to="prediction")
    done = step.apply(pair(prediction=Mask(np.array([[0, 7], [1, 0]]), "input"))).prediction
    assert (done.labels.tolist(), done.frame) == ([[1, 0], [-1, 1]], "input")
    scores = np.zeros((8, 1, 2))
    scores[7, 0, 0] = scores[0, 0, 1] = 1
    assert step.apply(pair(prediction=MaskScores(scores))).prediction.labels.tolist() == [[0, 1]]


def test_annotated_labels_of_a_group_stay():
    named = Named({"mask": Mask(np.zeros((2, 2), int)), "word": Text("a")})
    done = EncodeSegmentationMask(annotation_source=("mask",)).apply(pair(annotation=named))
    assert done.annotation.parts["mask"].labels.tolist() == [[0, 0], [0, 0]]


def test_what_the_dataset_does_not_say():
    with pytest.raises(OutputError) as colors:
        EncodeSegmentationMask(apply_to="annotation").apply(pair(Mask(np.zeros((2, 2, 3))), meta=DatasetMeta()))
    assert colors.value.message == "the dataset has no segmentation_colors; put them into its dataset_meta_file"
    with pytest.raises(OutputError) as labels:
        EncodeSegmentationMask(apply_to="prediction").apply(pair(meta=DatasetMeta()))
    assert labels.value.message == "the dataset has no prediction_to_gt_labels; put them into its dataset_meta_file"


def test_shift():
    done = Shift(apply_to="all", shift_value=-1).apply(
        pair(Mask(np.array([[0, 5]], np.uint8)), Mask(np.array([[1, 2]])))
    )
    assert (done.annotation.labels.tolist(), done.prediction.labels.tolist()) == ([[-1, 4]], [[0, 1]])
    assert Shift(apply_to="prediction").apply(pair(prediction=Mask(np.array([[3]])))).prediction.labels.tolist() == [
        [3]
    ]


def test_what_is_changed_is_said_once():
    with pytest.raises(ValueError, match="apply_to is missing; annotation, prediction or all expected"):
        Shift()
    with pytest.raises(ValueError, match="apply_to found beside annotation_source or prediction_source, only one of"):
        Shift(apply_to="all", prediction_source="mask")


def test_parts_are_picked_by_class_or_name():
    named = Named({"first": Mask(np.array([[1]])), "second": Mask(np.array([[2]])), "word": Text("a")})
    done = Shift(prediction_source=("second",), shift_value=5).apply(pair(prediction=named))
    assert [part.labels.item() for part in list(done.prediction.parts.values())[:2]] == [1, 7]
    assert done.annotation.labels.max() == 0
    both = Shift(prediction_source=("first", "second"), shift_value=5).apply(pair(prediction=named))
    assert [part.labels.item() for part in list(both.prediction.parts.values())[:2]] == [6, 7]
    with pytest.raises(OutputError, match="2 parts of type Mask found among first"):
        Shift(apply_to="prediction").apply(pair(prediction=named))
    with pytest.raises(OutputError) as word:
        Shift(prediction_source=("word",)).apply(pair(prediction=named))
    assert word.value.message == "prediction of type Text found, Mask expected"


@pytest.mark.parametrize("options", [{"size": 16}, {"to_dst_image_size": True}, {"dst_height": 7, "dst_width": 9}, {}])
@pytest.mark.parametrize("flipped", [False, True])
def test_border_and_flip_are_undone_at_any_size(options, flipped):
    truth = np.random.default_rng(0).integers(0, 9, (8, 16))
    geometry = Geometry.of((8, 16)).resized_to((4, 8)).padded_by(1, 0, 3, 0)
    shown = np.pad(resize_nearest(truth, (4, 8)), ((1, 3), (0, 0)), constant_values=7)
    if flipped:
        geometry, shown = geometry.flipped("horizontal"), shown[:, ::-1]
    step = ResizeSegmentationMask(apply_to="all", **options)
    found = step.apply(pair(Mask(truth), Mask(shown, "input"), geometry))
    over_original = resize_nearest(resize_nearest(truth, (4, 8)), (8, 16))
    size = found.annotation.labels.shape
    np.testing.assert_array_equal(found.prediction.labels, resize_nearest(over_original, size))


def test_scores_that_a_crop_does_not_show_are_no_class():
    scores = np.random.default_rng(0).normal(size=(3, 4, 4)).astype(np.float32)
    geometry = Geometry.of((8, 6)).cropped_to(2, 1, (4, 4))
    step = ResizeSegmentationMask(apply_to="prediction")
    mask = step.apply(pair(prediction=Mask(scores.argmax(axis=0), "input"), geometry=geometry)).prediction
    found = step.apply(pair(prediction=MaskScores(scores, "input"), geometry=geometry)).prediction
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.labels, mask.labels)
    assert (found.labels == -1).sum() == 48 - 16
    encoded = EncodeSegmentationMask(apply_to="prediction").apply(pair(prediction=found, geometry=geometry)).prediction
    assert (encoded.labels[found.labels == -1] == -1).all()


def test_what_is_no_class_is_not_shifted():
    done = Shift(apply_to="all", shift_value=1).apply(pair(Mask(np.array([[-1, 0]])), Mask(np.array([[-1, 3]]))))
    assert (done.annotation.labels.tolist(), done.prediction.labels.tolist()) == ([[-1, 1]], [[-1, 4]])
