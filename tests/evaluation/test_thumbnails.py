"""Small pictures of samples."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.evaluation.thumbnails import thumbnails
from pytest_torchlauncher.types import Boxes, Label, Sample


def picture(data, color=None):
    (thumbnail,) = thumbnails([Sample("a", data, Label(0), color)], [0]).values()
    return thumbnail


def pixels(thumbnail):
    return np.array(Image.open(io.BytesIO(thumbnail.content)).convert("RGB"))


@pytest.mark.parametrize(("color", "expected"), [("bgr", [30, 20, 210]), ("rgb", [210, 20, 30])])
def test_a_small_image_is_kept_as_it_is(color, expected):
    image = np.full((8, 6, 3), [210, 20, 30], dtype=np.uint8)
    thumbnail = picture(image, color)
    assert thumbnail.size == (8, 6)
    assert thumbnail.content.startswith(b"\x89PNG")
    np.testing.assert_array_equal(pixels(thumbnail), np.full((8, 6, 3), expected))


def test_a_large_image_is_small_in_bytes_too():
    noise = np.random.default_rng(1).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    thumbnail = picture(noise, "rgb")
    assert thumbnail.size == (700, 900)
    assert max(pixels(thumbnail).shape) in (72, 112)
    assert len(thumbnail.content) <= 1500
    smooth = np.repeat(np.linspace(0, 255, 900).astype(np.uint8)[np.newaxis, :, np.newaxis], 700, axis=0)
    found = pixels(picture(smooth))
    assert abs(int(found[50, 0, 0]) - 0) < 12
    assert abs(int(found[50, 111, 0]) - 255) < 12


def test_numbers_are_stretched_over_what_can_be_shown():
    image = torch.zeros(1, 4, 4)
    image[0, 0, 0], image[0, 0, 1] = -2.0, 2.0
    assert sorted(set(pixels(picture(image))[..., 0].ravel().tolist())) == [0, 128, 255]
    dark = np.zeros((4, 4, 1), dtype=np.uint8)
    dark[0, 0] = 16
    assert pixels(picture(dark)).max() == 255


@pytest.mark.parametrize("data", [np.zeros(5), torch.zeros(2, 3), np.zeros((4, 4, 7)), np.zeros((0, 3, 3))])
def test_what_is_no_image_has_no_picture(data):
    thumbnail = picture(data)
    assert (thumbnail.content, thumbnail.size) == (b"", None)


def test_the_first_image_of_several_parts_is_shown():
    assert picture((np.zeros(3), np.full((4, 4, 3), 9, np.uint8))).size == (4, 4)


def test_annotations_that_can_be_drawn_come_along():
    boxes = Boxes(np.array([[0.0, 0, 4, 4]]), np.array([1]))
    (thumbnail,) = thumbnails([Sample("a", np.zeros((8, 8, 3), np.uint8), boxes)], [0]).values()
    assert len(thumbnail.annotation.boxes) == 1


def test_samples_that_come_one_after_the_other():
    samples = [Sample(str(i), np.full((4, 4, 3), 100 + i, np.uint8), Label(i), "rgb") for i in range(9)]
    found = thumbnails(iter(samples), [5, 2])
    assert {position: int(pixels(one)[0, 0, 0]) for position, one in found.items()} == {2: 102, 5: 105}
    assert thumbnails(iter(()), [1]) == {}


def test_a_sample_that_cannot_be_read_again_takes_nothing_from_the_measurement():
    class Once(list):
        def __getitem__(self, position):
            raise DataError("gone")

    assert thumbnails(Once("ab"), [1]) == {}
