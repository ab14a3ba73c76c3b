import numpy as np
import pytest
import torch
from PIL import Image

from pytest_torchlauncher.data.given import open_given
from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.kinds import Preprocessor
from pytest_torchlauncher.options import Component
from pytest_torchlauncher.plan import DatasetSpec
from pytest_torchlauncher.types import Dataset, DatasetMeta, Label, Sample

SPEC = DatasetSpec("given", fixture="mine")


def samples(value, spec=SPEC):
    return list(open_given(value, spec, [Label]).samples)


class MapStyle:
    """A map-style dataset whose __getitem__ never ends, as torch allows."""

    classes = ("cat", "dog")

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.full((2, 2, 3), index, np.uint8), index


@pytest.mark.parametrize(
    "value",
    [
        [(torch.zeros(1, 4, 4), 2)],
        ((torch.zeros(1, 4, 4), np.int64(2)) for _ in range(1)),
        [[torch.zeros(1, 4, 4), torch.tensor(2)]],
        Dataset([(torch.zeros(1, 4, 4), Label(2))]),
    ],
)
def test_pairs_become_labelled_samples(value):
    (sample,) = samples(value)
    assert sample.identifier == "0"
    assert isinstance(sample.data, torch.Tensor)
    assert sample.annotation == Label(2)
    assert len(sample.digest) == 64


def test_map_style_datasets_end_and_bring_their_classes():
    dataset = open_given(MapStyle(), SPEC, [Label])
    assert [s.identifier for s in dataset.samples] == ["0", "1", "2"]
    assert dataset.meta.label_map == {0: "cat", 1: "dog"}


def test_arrays_and_images_are_rgb_in_height_width_channels():
    colour, grey, array = samples([(Image.new("RGB", (5, 4)), 0), (Image.new("L", (5, 4)), 0), (np.zeros((4, 5)), 0)])
    assert (colour.data.shape, colour.color) == ((4, 5, 3), "rgb")
    assert (grey.data.shape, grey.color) == ((4, 5, 1), None)
    assert array.data.shape == (4, 5, 1)


def test_samples_pass_through_and_gain_a_digest():
    given = Sample("a", np.zeros((2, 2, 3)), Label(1))
    (sample,) = samples(Dataset([given], DatasetMeta({1: "one"})))
    assert sample.identifier == "a"
    assert sample.data is given.data
    assert sample.digest


def test_digest_tells_values_shapes_and_types_apart():
    arrays = [np.zeros(4, np.uint8), np.zeros((2, 2), np.uint8), np.ones(4, np.uint8), np.zeros(4, np.int8)]
    assert len({s.digest for s in samples([(a, 0) for a in arrays])}) == 4


def test_tensor_and_preprocessing_exclude_each_other():
    step = Component("step", {}, Preprocessor)
    spec = DatasetSpec("given", fixture="mine", preprocessing=(step,))
    with pytest.raises(DataError, match="item 0 of fixture 'mine' is a tensor, fed as it stands; remove the preproc"):
        samples([(torch.zeros(2), 0)], spec)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "fixture 'mine' gave a int; a Dataset, or an iterable of (input, target) pairs or Sample objects expected"),
        ([3], "item 0 of fixture 'mine' is a int; an (input, target) pair or a Sample expected"),
        ([(1, 2, 3)], "item 0 of fixture 'mine' is a tuple; an (input, target) pair or a Sample expected"),
        ([("a", 0)], "item 0 of fixture 'mine' has an input of type str; a tensor, array or image expected"),
        ([(np.zeros(2), "cat")], "item 0 of fixture 'mine' has a target of type str; a class index (int) expected"),
        ([(np.zeros(2), True)], "item 0 of fixture 'mine' has a target of type bool; a class index (int) expected"),
        (
            {"a": 1},
            "fixture 'mine' gave a dict; a Dataset, or an iterable of (input, target) pairs or Sample objects expected",
        ),
        ([Sample(3, np.zeros(2), Label(0))], "item 0 of fixture 'mine' has the identifier 3; text expected"),
        ([Sample("a", [1], Label(0))], "item 0 of fixture 'mine' has data of type list; an array or tensor expected"),
        (
            [Sample("a", {"x": (np.zeros(2), "text")}, Label(0))],
            "item 0 of fixture 'mine' has data of type str; an array or tensor expected",
        ),
        ([((), 0)], "item 0 of fixture 'mine' has an empty input; a tensor, array or image expected"),
        ([({}, 0)], "item 0 of fixture 'mine' has an empty input; a tensor, array or image expected"),
        ([([[1], [1, 2]], 0)], "item 0 of fixture 'mine' has an input of type list; a tensor, array or image expected"),
        ([({"x": "text"}, 0)], "item 0 of fixture 'mine' has an input of type str; a tensor, array or image expected"),
        (
            [Sample("a", np.zeros(2), 3)],
            "item 0 of fixture 'mine' has an annotation of type int; a Label, Boxes or another annotation expected",
        ),
        ((1 / i for i in [0]), "item 0 of fixture 'mine': raised ZeroDivisionError: division by zero"),
        ([(np.zeros(2), 0.5)], "item 0 of fixture 'mine' has a target of type float; a class index (int) expected"),
    ],
)
def test_anything_else_is_one_sentence(value, message):
    with pytest.raises(DataError) as error:
        samples(value)
    assert error.value.message == message


def test_palette_and_transparent_images_become_rgb():
    image = Image.new("RGB", (4, 4), (200, 30, 30))
    for other in (image.quantize(4), image.convert("RGBA"), image.convert("CMYK")):
        (sample,) = samples([(other, 0)])
        assert sample.data.shape == (4, 4, 3)
        assert np.abs(sample.data.astype(int) - (200, 30, 30)).max() <= 5
        assert sample.color == "rgb"


def test_structures_keep_their_parts():
    grey, ids, mask = Image.new("L", (5, 4)), torch.arange(3), np.ones((2, 2))
    (named,) = samples([({"image": grey, "pair": (ids, mask)}, 1)])
    assert named.data["image"].shape == (4, 5, 1)
    assert named.data["pair"][0] is ids
    assert named.data["pair"][1] is mask
    (pair,) = samples([((Image.new("RGB", (5, 4)), ids), 1)])
    assert pair.data[0].shape == (4, 5, 3)
    assert (pair.color, pair.original_size) == ("rgb", (4, 5))


def test_digests_of_tensors_are_those_of_arrays_and_exist_for_every_dtype():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    (of_array,), (of_tensor,) = samples([(array[..., None], 0)]), samples([(torch.from_numpy(array[..., None]), 0)])
    assert of_array.digest == of_tensor.digest
    bfloat = torch.ones(2, dtype=torch.bfloat16)
    assert samples([(bfloat, 0)])[0].digest != samples([(bfloat * 2, 0)])[0].digest


def test_lists_of_tensors_are_parts():
    (sample,) = samples([([torch.ones(2), torch.ones(3)], 0)])
    assert [tuple(part.shape) for part in sample.data] == [(2,), (3,)]


def test_digests_of_structures_tell_names_and_places_apart():
    a, b = np.zeros(2), torch.ones(2)
    data = [{"x": a, "y": b}, {"y": a, "x": b}, {"x": a}, (a, b), (b, a), (a,), ((a,), b)]
    assert len({s.digest for s in samples([(item, 0) for item in data])}) == len(data)
