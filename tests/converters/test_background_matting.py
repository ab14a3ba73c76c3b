"""The background_matting converter: which mask belongs to an image, and what it holds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytest_torchlauncher.converters.background_matting import BackgroundMatting
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.types import DatasetMeta, Matte

MINIMAL = {"background_matting": {"images_dir": "images", "masks_dir": "masks"}}
ALPHA = np.random.default_rng(0).integers(0, 256, (5, 7), dtype=np.uint8)


@pytest.fixture
def folders(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    return tmp_path / "images", tmp_path / "masks"


def fill(folder, *names, image=ALPHA):
    for name in names:
        (folder / name).write_bytes(cv2.imencode(".png", image)[1].tobytes())


def converter(folders, **options):
    return BackgroundMatting(images_dir=folders[0], masks_dir=folders[1], **options)


def pairs(annotations):
    return [(item.identifier, item.annotation.file) for item in annotations.items]


def read(item):
    return item.annotation.decode((item.annotation.root / item.annotation.file).read_bytes())


def test_masks_of_the_same_name(folders):
    fill(folders[0], "b.png", "a.png", "notes.jpg")
    fill(folders[1], "a.png", "b.png", "c.png")
    annotations = converter(folders).convert()
    assert pairs(annotations) == [("a.png", "a.png"), ("b.png", "b.png")]
    assert annotations.root == folders[0]
    assert annotations.items[0].annotation.root == folders[1]
    assert annotations.meta == DatasetMeta()


def test_prefixes_and_postfixes(folders):
    fill(folders[0], "image0002.jpeg", "image0001.jpeg", "image0003.png", "other0001.jpeg")
    fill(folders[1], "gt0001_m.png", "gt0002_m.png")
    options = {"image_prefix": "image", "image_postfix": ".jpeg", "mask_prefix": "gt", "mask_postfix": "_m.png"}
    annotations = converter(folders, **options).convert()
    assert pairs(annotations) == [("image0001.jpeg", "gt0001_m.png"), ("image0002.jpeg", "gt0002_m.png")]


def test_a_prefix_counts_once_and_at_the_start(folders):
    fill(folders[0], "a_a_b.png")
    fill(folders[1], "m_a_b.png")
    assert pairs(converter(folders, image_prefix="a_", mask_prefix="m_").convert()) == [("a_a_b.png", "m_a_b.png")]


def test_prefix_and_postfix_do_not_overlap(folders):
    fill(folders[0], "a.png", "aa.png")
    fill(folders[1], "a.png")
    options = {"image_prefix": "a", "image_postfix": "a.png", "mask_postfix": "a.png"}
    assert pairs(converter(folders, **options).convert()) == [("aa.png", "a.png")]


def test_masks_among_the_images_are_no_images(folders):
    fill(folders[0], "a.png", "a_mask.png", "b.png", "b_mask.png")
    annotations = converter((folders[0], folders[0]), mask_postfix="_mask.png").convert()
    assert pairs(annotations) == [("a.png", "a_mask.png"), ("b.png", "b_mask.png")]


def test_an_image_may_be_its_own_mask(folders):
    fill(folders[0], "a.png", image=np.dstack([ALPHA, ALPHA, ALPHA, 255 - ALPHA]))
    (item,) = converter((folders[0], folders[0])).convert().items
    np.testing.assert_array_equal(read(item).values, 255 - ALPHA)


@pytest.mark.parametrize(
    ("stored", "to_gray", "expected"),
    [
        (ALPHA, False, ALPHA),
        (ALPHA, True, ALPHA),
        (np.dstack([ALPHA // 2] * 3 + [ALPHA]), False, ALPHA),
        (np.dstack([ALPHA] * 3), True, ALPHA),
        (ALPHA.astype(np.uint16) * 257, False, ALPHA),
    ],
    ids=["gray", "gray-to-gray", "alpha", "colour-to-gray", "16-bit"],
)
def test_what_a_mask_holds(folders, stored, to_gray, expected):
    fill(folders[0], "a.png")
    fill(folders[1], "a.png", image=stored)
    (item,) = converter(folders, mask_to_gray=to_gray).convert().items
    matte = read(item)
    assert (type(matte), matte.frame) == (Matte, "original")
    np.testing.assert_array_equal(matte.values, expected)


def test_half_a_step_of_16_bits_stays(folders):
    fill(folders[0], "a.png")
    fill(folders[1], "a.png", image=np.full((2, 2), 257 * 9 + 128, np.uint16))
    (item,) = converter(folders).convert().items
    np.testing.assert_allclose(read(item).values, 9 + 128 / 257)


def test_a_mask_in_colour_is_refused(folders):
    fill(folders[0], "a.png")
    fill(folders[1], "a.png", image=np.dstack([ALPHA] * 3))
    (item,) = converter(folders).convert().items
    with pytest.raises(ValueError, match="found") as caught:
        read(item)
    assert str(caught.value) == (
        "an image of 3 channels found, a mask of one channel or with alpha expected; set mask_to_gray: true"
    )


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_a_mask_that_is_no_image(folders, content):
    fill(folders[0], "a.png")
    (folders[1] / "a.png").write_bytes(content)
    (item,) = converter(folders).convert().items
    message = rf"^{len(content)} bytes found that OpenCV cannot decode, an image expected$"
    with pytest.raises(ValueError, match=message):
        read(item)


def test_missing_masks_are_counted(folders):
    fill(folders[0], "a.png", "b.png", "c.png")
    fill(folders[1], "gt_b.png")
    with pytest.raises(DataError) as caught:
        converter(folders, mask_prefix="gt_").convert()
    assert str(caught.value) == (
        f"2 of 3 images have no mask in masks_dir {folders[1]}, the first is a.png, whose mask would be gt_a.png; add "
        "the masks, or correct mask_prefix and mask_postfix"
    )


def test_no_image_is_an_error(folders):
    fill(folders[0], "a.jpg")
    with pytest.raises(DataError) as caught:
        converter(folders, image_prefix="x").convert()
    assert str(caught.value) == (f"no x*.png found in images_dir {folders[0]}; correct image_prefix or image_postfix")


@pytest.mark.parametrize(("missing", "option"), [(0, "images_dir"), (1, "masks_dir")])
def test_a_missing_folder_is_named(folders, missing, option):
    fill(folders[0], "a.png")
    fill(folders[1], "a.png")
    gone = [*folders]
    gone[missing] = folders[missing] / "a.png"
    with pytest.raises(DataError, match=rf"^{option} .*a\.png is a file, a folder expected$"):
        converter(gone).convert()
    gone[missing] = folders[missing] / "nowhere"
    with pytest.raises(MissingDataError, match=rf"^{option} is not there: .*nowhere$"):
        converter(gone).convert()


def test_equal_converters_give_equal_steps(folders):
    fill(folders[0], "a.png")
    fill(folders[1], "a.png")
    first, second = (converter(folders).convert().items[0].annotation.decode for _ in range(2))
    assert first == second
