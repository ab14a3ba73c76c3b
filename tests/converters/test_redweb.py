"""The redweb converter: which map belongs to an image, and the depth it holds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytest_torchlauncher.converters.redweb import ReDWeb
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.types import DepthMap

MINIMAL = {"redweb": {"data_dir": "ReDWeb_V1"}}
STORED = np.array([[0, 51], [204, 255]], np.uint8)


def listed(tmp_path, text, **options):
    (tmp_path / "list.txt").write_text(text)
    return ReDWeb(annotation_file=tmp_path / "list.txt", **options).convert()


def pairs(annotations):
    return [(item.identifier, item.annotation.file) for item in annotations.items]


def decoded(tmp_path, image):
    (item,) = listed(tmp_path, "imgs/a.jpg RD/a.png").items
    return item.annotation.decode(cv2.imencode(".png", image)[1].tobytes())


def test_the_lines_of_a_file(tmp_path):
    annotations = listed(tmp_path, "imgs/b.jpg RD/b.png\n\nimgs/a.jpg  RD/x.png\r\n")
    assert pairs(annotations) == [("imgs/b.jpg", "RD/b.png"), ("imgs/a.jpg", "RD/x.png")]
    assert annotations.root == annotations.items[0].annotation.root == tmp_path


def test_a_file_beside_its_dataset(tmp_path):
    annotations = listed(tmp_path, "imgs/b.jpg RD/b.png", data_dir=tmp_path / "data")
    assert annotations.root == annotations.items[0].annotation.root == tmp_path / "data"


def test_all_images_of_a_folder(tmp_path):
    (tmp_path / "imgs").mkdir()
    for name in ("b.jpg", "a.b.jpg", "c.png"):
        (tmp_path / "imgs" / name).touch()
    annotations = ReDWeb(data_dir=tmp_path).convert()
    assert pairs(annotations) == [("imgs/a.b.jpg", "RD/a.b.png"), ("imgs/b.jpg", "RD/b.png")]
    assert annotations.root == annotations.items[0].annotation.root == tmp_path


def test_the_depth_that_a_map_holds(tmp_path):
    depth = decoded(tmp_path, STORED)
    assert (type(depth), depth.frame) == (DepthMap, "original")
    np.testing.assert_allclose(depth.values, [[1, 0.8], [0.2, 0]], atol=1e-15)
    assert depth.valid.tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize(
    ("image", "found"),
    [(np.dstack([STORED] * 3), r"\(2, 2, 3\) of uint8"), (STORED.astype(np.uint16), r"\(2, 2\) of uint16")],
)
def test_other_images_are_refused(tmp_path, image, found):
    message = rf"^an image {found} found, a gray image \(H, W\) of 8 bits expected$"
    with pytest.raises(ValueError, match=message):
        decoded(tmp_path, image)


def test_what_is_no_image_is_refused(tmp_path):
    (item,) = listed(tmp_path, "a b").items
    with pytest.raises(ValueError, match=r"^7 bytes found that OpenCV cannot decode, an image expected$"):
        item.annotation.decode(b"nothing")


def test_a_line_of_another_form(tmp_path):
    with pytest.raises(DataError) as caught:
        listed(tmp_path, "a.jpg a.png\na b.jpg b.png\n")
    assert str(caught.value).endswith("list.txt:2:1: 'a b.jpg b.png' found, 'image map' with two paths expected")


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotation_file is not there: .*none\.txt$"):
        ReDWeb(annotation_file=tmp_path / "none.txt").convert()
    with pytest.raises(MissingDataError, match=r"^the folder imgs of data_dir is not there: .*imgs$"):
        ReDWeb(data_dir=tmp_path).convert()
    (tmp_path / "imgs").mkdir()
    with pytest.raises(DataError, match=r"^no \*\.jpg found in .*imgs; correct data_dir or give annotation_file$"):
        ReDWeb(data_dir=tmp_path).convert()


def test_something_has_to_be_given():
    with pytest.raises(ValueError, match=r"^neither data_dir nor annotation_file found, at least one expected$"):
        ReDWeb()
