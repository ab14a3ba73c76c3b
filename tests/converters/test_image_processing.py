"""The image_processing converter: which target belongs to an input, and how it is read."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from pytest_torchlauncher.converters.image_processing import ImageProcessing
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import Image

MINIMAL = {"image_processing": {"data_dir": "images"}}
RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def converter(folder, **options):
    return construct(ImageProcessing, {"data_dir": folder, **options}, Context())


def pairs(folder, *names, **options):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    annotations = converter(folder, **options).convert()
    assert annotations.root == folder
    assert {item.annotation.root for item in annotations.items} == {folder}
    return [(item.identifier, item.annotation.file) for item in annotations.items]


def test_targets_beside_the_inputs(tmp_path):
    found = pairs(tmp_path, "b_in.png", "a_in.png", "a_out.png", "b_out.png", "notes.txt")
    assert found == [("a_in.png", "a_out.png"), ("b_in.png", "b_out.png")]


def test_given_suffixes(tmp_path):
    found = pairs(tmp_path, "1blur.png", "1sharp.png", input_suffix="blur.png", target_suffix="sharp.png")
    assert found == [("1blur.png", "1sharp.png")]


def test_every_occurrence_is_replaced(tmp_path):
    assert pairs(tmp_path, "in_1_in.png", "out_1_out.png") == [("in_1_in.png", "out_1_out.png")]


def test_a_name_may_hold_the_suffix_by_chance(tmp_path):
    assert pairs(tmp_path, "rain_in.png", "rain_out.png") == [("rain_in.png", "rain_out.png")]


def test_targets_may_lie_elsewhere(tmp_path):
    assert pairs(tmp_path, "a_in.png") == [("a_in.png", "a_out.png")]


def test_an_image_may_be_its_own_target(tmp_path):
    found = pairs(tmp_path, "b.bmp", "a.bmp", "c.png", input_suffix=".bmp", target_suffix=".bmp")
    assert found == [("a.bmp", "a.bmp"), ("b.bmp", "b.bmp")]


def test_folders_count_if_asked(tmp_path):
    names = ("2/in/a.png", "1/b_in.png", "1/b_out.png", "c_in.png", "x_in/d.png")
    assert pairs(tmp_path, *names) == [("c_in.png", "c_out.png")]
    assert pairs(tmp_path, recursive=True) == [("1/b_in.png", "1/b_out.png"), ("c_in.png", "c_out.png")]


def test_folders_may_tell_inputs_and_targets_apart(tmp_path):
    found = pairs(tmp_path, "s/in/a_in.png", "s/out/a_out.png", recursive=True)
    assert found == [("s/in/a_in.png", "s/out/a_out.png")]


def stored(image, mode=None, suffix="PNG"):
    """Return the bytes of `image`, an array or a Pillow image."""
    content = io.BytesIO()
    (Pillow.fromarray(image) if mode is None else Pillow.fromarray(image).convert(mode)).save(content, suffix)
    return content.getvalue()


def decoded(tmp_path, content, loader):
    (tmp_path / "a_in.png").touch()
    (item,) = converter(tmp_path, annotation_loader=loader).convert().items
    image = item.annotation.decode(content)
    assert (type(image), image.frame) == (Image, "original")
    return image


def test_colour_by_each_loader(tmp_path):
    for loader in ("pillow", "pillow_rgb", "skimage", "PILLOW"):
        image = decoded(tmp_path, stored(RGB), loader)
        np.testing.assert_array_equal(image.values, RGB)
        assert (image.color, image.values.dtype) == ("rgb", np.uint8)
    image = decoded(tmp_path, stored(RGB), "opencv")
    np.testing.assert_array_equal(image.values, RGB[..., ::-1])
    assert image.color == "bgr"


def test_gray_by_each_loader(tmp_path):
    gray = RGB[..., 0]
    for loader in ("pillow", "skimage"):
        image = decoded(tmp_path, stored(gray), loader)
        np.testing.assert_array_equal(image.values, gray[..., np.newaxis])
        assert image.color == "gray"
    for loader, color in (("pillow_rgb", "rgb"), ("opencv", "bgr")):
        image = decoded(tmp_path, stored(gray), loader)
        np.testing.assert_array_equal(image.values, np.dstack([gray] * 3))
        assert image.color == color


def test_palettes_by_each_loader(tmp_path):
    content = stored(RGB, "P")
    opened = Pillow.open(io.BytesIO(content))
    image = decoded(tmp_path, content, "pillow")
    np.testing.assert_array_equal(image.values[..., 0], np.array(opened))
    assert (image.values.shape, image.color) == ((5, 7, 1), None)
    for loader in ("pillow_rgb", "skimage"):
        image = decoded(tmp_path, content, loader)
        np.testing.assert_array_equal(image.values, np.array(opened.convert("RGB")))
        assert image.color == "rgb"


@pytest.mark.parametrize("kind", ["RGB", "RGBA", "L", "P"])
def test_skimage_agrees_with_itself(tmp_path, kind):
    from skimage.io import imread

    (tmp_path / "x.png").write_bytes(stored(RGB, kind))
    expected = np.atleast_3d(imread(tmp_path / "x.png"))
    image = decoded(tmp_path, (tmp_path / "x.png").read_bytes(), "skimage")
    np.testing.assert_array_equal(image.values, expected)


def test_other_depths_become_0_to_255(tmp_path):
    deep = RGB[..., 0].astype(np.uint16) * 257
    np.testing.assert_allclose(decoded(tmp_path, stored(deep), "pillow").values[..., 0], RGB[..., 0])
    binary = RGB[..., 0] > 100
    image = decoded(tmp_path, stored(binary), "pillow")
    np.testing.assert_array_equal(image.values[..., 0], np.where(binary, 255, 0))
    assert image.values.dtype == np.uint8


def test_floats_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^an image of float32 found, one of 8 or 16 bits expected$"):
        decoded(tmp_path, stored(np.zeros((2, 2), np.float32), suffix="TIFF"), "pillow")


@pytest.mark.parametrize(("loader", "name"), [("pillow", "Pillow"), ("opencv", "OpenCV")])
@pytest.mark.parametrize("content", [b"", b"no image", stored(RGB)[:60]])
def test_what_is_no_image_is_refused(tmp_path, content, loader, name):
    with pytest.raises(ValueError, match=rf"^{len(content)} bytes found that {name} cannot decode"):
        decoded(tmp_path, content, loader)


def test_opencv_reads_what_it_writes(tmp_path):
    content = cv2.imencode(".jpg", RGB)[1].tobytes()
    np.testing.assert_array_equal(
        decoded(tmp_path, content, "opencv").values, cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    )


def test_no_input_is_an_error(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(DataError) as caught:
        converter(tmp_path, input_suffix="lr").convert()
    assert str(caught.value) == f"no file with 'lr' in its name found in data_dir {tmp_path}; correct input_suffix"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^data_dir is not there: .*nowhere$"):
        converter(tmp_path / "nowhere").convert()


def test_an_empty_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"input_suffix: '' found, a part of the inputs' names expected"):
        converter(tmp_path, input_suffix="")


def test_unknown_loaders_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'dicom' found, 'opencv', 'pillow', 'pillow_rgb' or 'skimage' expected"):
        converter(tmp_path, annotation_loader="dicom")
