import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as pycocotools

from pytest_torchlauncher import rle
from pytest_torchlauncher.errors import MissingExtraError
from pytest_torchlauncher.types import Rle

masks = st.integers(0, 2**32).map(
    lambda seed: np.random.default_rng(seed).random(np.random.default_rng(seed).integers(1, 30, 2)) > 0.6
)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(masks)
def test_masks_are_encoded_as_pycocotools_does(mask):
    encoded = rle.encode(mask)
    expected = pycocotools.encode(np.asfortranarray(mask, np.uint8))
    assert (list(encoded.size), encoded.counts) == (expected["size"], expected["counts"])
    np.testing.assert_array_equal(rle.decode(encoded), mask)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(
        st.lists(st.floats(0, 25), min_size=6, max_size=12).filter(lambda p: len(p) % 2 == 0), min_size=1, max_size=3
    )
)
def test_polygons_are_drawn_as_pycocotools_does(polygons):
    expected = pycocotools.merge(pycocotools.frPyObjects(polygons, 24, 26))
    assert rle.from_coco(polygons, (24, 26)).counts == expected["counts"]


def test_no_polygon_is_an_empty_mask():
    assert rle.from_coco([], (3, 4)) == rle.encode(np.zeros((3, 4), bool))


def test_run_lengths_of_both_kinds():
    mask = np.zeros((3, 4), bool)
    mask[1:, 2] = True
    assert rle.from_coco({"size": [3, 4], "counts": [7, 2, 3]}, (3, 4)) == rle.encode(mask)
    compressed = rle.encode(mask).counts
    assert rle.from_coco({"size": [3, 4], "counts": compressed.decode()}, (3, 4)) == Rle((3, 4), compressed)


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        (3, "a segmentation found that is neither a list of polygons"),
        ([[1, 2, 3, 4]], "a segmentation found that is neither a list of polygons"),
        ([[1, 2, 3, None, 5, 6]], "a segmentation found that is neither a list of polygons"),
        ([[1, 2, 3, float("nan"), 5, 6]], "a segmentation found that is neither a list of polygons"),
        ([[1, 2, 3, 4, 5, 6, 7]], "a segmentation found that is neither a list of polygons"),
        (
            {"size": [4, 3], "counts": [12]},
            r"run lengths of size \[4, 3\] found, those of the image, \(3, 4\), expected",
        ),
        ([[1, 2, 3, 4, 5, 1e30]], "a segmentation found that is neither a list of polygons"),
        ({"size": 5, "counts": "a"}, "run lengths of size 5 found"),
        ({"size": None, "counts": [12]}, "run lengths of size None found"),
        ({"size": [3, 4], "counts": [5]}, "run lengths found that do not fill 3 x 4 px"),
        ({"size": [3, 4], "counts": [5, 10**9]}, "run lengths found that do not fill 3 x 4 px"),
        ({"size": [3, 4], "counts": [-3, 15]}, "run lengths found that do not fill 3 x 4 px"),
        ({"size": [3, 4], "counts": "!!zz"}, "run lengths found that do not fill 3 x 4 px"),
        ({"size": [3, 4], "counts": "é"}, "run lengths found that do not fill 3 x 4 px"),
        ({"size": [3, 4]}, r"run lengths of size \[3, 4\] found"),
    ],
)
def test_anything_else_is_refused(segmentation, message):
    with pytest.raises(ValueError, match=message):
        rle.from_coco(segmentation, (3, 4))


def test_without_the_extra_its_name_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faster_coco_eval.core.mask", None)
    with pytest.raises(MissingExtraError) as error:
        rle.encode(np.zeros((2, 2), bool))
    assert error.value.message == 'faster_coco_eval is not installed; run pip install "pytest-torchlauncher[coco]"'
