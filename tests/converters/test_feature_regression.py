"""The feature_regression converter: which files belong together, and what the references hold."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlauncher.converters.feature_regression import FeatureRegression
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.types import DatasetMeta, Values

MINIMAL = {"feature_regression": {"input_dir": "inputs", "reference_dir": "references"}}


@pytest.fixture
def folders(tmp_path):
    for name in ("inputs", "references"):
        (tmp_path / name).mkdir()
    return tmp_path / "inputs", tmp_path / "references"


def fill(folder, *names, content=b"1 2"):
    for name in names:
        (folder / name).write_bytes(content)


def converter(folders, **options):
    return FeatureRegression(input_dir=folders[0], reference_dir=folders[1], **options)


def pairs(annotations):
    return [(item.identifier, item.annotation.file) for item in annotations.items]


def read(item):
    return item.annotation.decode((item.annotation.root / item.annotation.file).read_bytes())


def test_files_of_one_name_belong_together(folders):
    fill(folders[0], "b.txt", "a.txt", "c.txt")
    fill(folders[1], "c.txt", "a.txt", "b.txt", "notes.md")
    annotations = converter(folders).convert()
    assert pairs(annotations) == [("a.txt", "a.txt"), ("b.txt", "b.txt"), ("c.txt", "c.txt")]
    assert annotations.root == folders[0]
    assert annotations.items[0].annotation.root == folders[1]
    assert annotations.meta == DatasetMeta()


def test_suffixes_tell_the_files_of_one_folder_apart(folders):
    fill(folders[0], "s1.in.npy", "s2.in.npy", "s1.out.txt", "s2.out.txt")
    both = (folders[0], folders[0])
    annotations = converter(both, input_suffix=".in.npy", reference_suffix=".out.txt").convert()
    assert pairs(annotations) == [("s1.in.npy", "s1.out.txt"), ("s2.in.npy", "s2.out.txt")]


def test_only_the_end_of_a_name_is_the_suffix(folders):
    fill(folders[0], "out_1in")
    fill(folders[1], "out_1out")
    annotations = converter(folders, input_suffix="in", reference_suffix="out").convert()
    assert pairs(annotations) == [("out_1in", "out_1out")]


def test_references_without_input_are_left_out(folders):
    fill(folders[0], "b.txt", "d.txt")
    fill(folders[1], "a.txt", "b.txt", "c.txt")
    assert pairs(converter(folders).convert()) == [("b.txt", "b.txt")]


def test_text_keeps_its_shape(folders):
    fill(folders[0], "a.txt")
    values = np.random.default_rng(0).normal(size=(3, 4))
    np.savetxt(folders[1] / "a.txt", values)
    (item,) = converter(folders).convert().items
    found = read(item)
    assert isinstance(found, Values)
    np.testing.assert_array_equal(found.values, values)


@pytest.mark.parametrize("dtype", ["float32", "float16", ">i2", "uint8"])
def test_plain_numbers(folders, dtype):
    fill(folders[0], "a.bin")
    values = np.arange(5, dtype=dtype)
    fill(folders[1], "a.bin", content=values.tobytes())
    options = {"input_suffix": ".bin", "reference_suffix": ".bin", "use_bin_data": True}
    (item,) = converter(folders, **options, bin_data_dtype=dtype).convert().items
    found = read(item).values
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, values)


def test_float32_is_the_type_by_default(folders):
    fill(folders[0], "a.txt")
    fill(folders[1], "a.txt", content=np.float32([0.5, 2]).tobytes())
    (item,) = converter(folders, use_bin_data=True).convert().items
    np.testing.assert_array_equal(read(item).values, [0.5, 2])


@pytest.mark.parametrize(
    ("content", "use_bin_data", "message"),
    [
        (b"one", False, "^no table of numbers: "),
        (b"12345", True, r"^5 bytes found, numbers of 4 bytes \(float32\) expected$"),
        (b"", True, r"^0 bytes found, numbers of 4 bytes \(float32\) expected$"),
    ],
)
def test_references_of_another_form(folders, content, use_bin_data, message):
    fill(folders[0], "a.txt")
    fill(folders[1], "a.txt", content=content)
    (item,) = converter(folders, use_bin_data=use_bin_data).convert().items
    with pytest.raises(ValueError, match=message):
        read(item)


def test_equal_converters_give_equal_steps(folders):
    fill(folders[0], "a.txt")
    fill(folders[1], "a.txt")
    first, second = (converter(folders, use_bin_data=True).convert().items[0].annotation.decode for _ in range(2))
    assert first == second


@pytest.mark.parametrize("dtype", ["float33", "str", "complex64", "bool"])
def test_another_type_is_refused(folders, dtype):
    with pytest.raises(ValueError, match=f"^bin_data_dtype: '{dtype}' found, a type of numbers as float32 expected$"):
        converter(folders, bin_data_dtype=dtype)


@pytest.mark.parametrize(("missing", "option"), [(0, "input_dir"), (1, "reference_dir")])
def test_a_missing_folder_is_named(folders, missing, option):
    folders[missing].rmdir()
    with pytest.raises(MissingDataError, match=rf"^{option} is not there: .*{folders[missing].name}$"):
        converter(folders).convert()


def test_a_file_is_no_folder(folders):
    fill(folders[0], "a.txt")
    with pytest.raises(DataError, match=r"^input_dir .*a\.txt is a file, a folder expected$"):
        converter((folders[0] / "a.txt", folders[1])).convert()


def test_nothing_that_belongs_together_is_an_error(folders):
    fill(folders[0], "a.txt")
    fill(folders[1], "b.txt", "c.txt")
    with pytest.raises(DataError) as caught:
        converter(folders, input_suffix=".in").convert()
    assert str(caught.value) == (
        "no *.in in input_dir found for 2 references *.txt; correct input_suffix or reference_suffix"
    )
