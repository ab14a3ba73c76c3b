"""The csv converter."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_torchlauncher.converters.csv import CSV
from pytest_torchlauncher.errors import DataError, MissingDataError, Position
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import DatasetMeta

OWN = ["csv"]
MINIMAL = {"csv": {"annotation_file": "items.csv", "label": "label"}}


def converter(folder, text, **options):
    file = folder / "items.csv"
    file.write_bytes(text.encode())
    return construct(CSV, {"annotation_file": file, **options}, Context())


def labels(annotations):
    return {item.identifier: item.annotation.index for item in annotations.items}


def written(folder, *names):
    (folder / "names.txt").write_text("\n".join(names))
    return folder / "names.txt"


def test_names_that_occur_are_the_classes(tmp_path):
    annotations = converter(tmp_path, "file,label\nb.png,dog\na.png,cat\nc.png,dog\n", label="label").convert()
    assert list(labels(annotations).items()) == [("b.png", 1), ("a.png", 0), ("c.png", 1)]
    assert annotations.meta == DatasetMeta({0: "cat", 1: "dog"})
    assert annotations.root is None


@pytest.mark.parametrize(
    ("cells", "line", "found"),
    [(("7", "none", "7"), 2, "7"), (("0.0", "1.0", "2.0"), 2, "0.0"), (("1", "-1", "0"), 2, "1"), (("a", "2"), 3, "2")],
)
def test_names_are_no_numbers(tmp_path, cells, line, found):
    rows = "".join(f"{index},{cell}\n" for index, cell in enumerate(cells))
    block = converter(tmp_path, f"file,label\n{rows}", label="label")
    with pytest.raises(DataError) as caught:
        block.convert()
    assert caught.value.where == Position(block.annotation_file, line, 1)
    assert caught.value.message == (
        f"{found!r} found, no class index and no name beside others; correct it or give labels_file"
    )


def test_indices_need_no_names(tmp_path):
    annotations = converter(tmp_path, "file,label\na,7\nb,0\nc,007\n", label="label").convert()
    assert labels(annotations) == {"a": 7, "b": 0, "c": 7}
    assert annotations.meta == DatasetMeta()


def test_labels_file_names_the_classes(tmp_path):
    names = written(tmp_path, "dog", "", "polar bear", "cat")
    for rows in ("a,cat\nb,dog\nc,polar bear", "a,2\nb,00\nc,1"):
        annotations = converter(tmp_path, f"file,label\n{rows}", label="label", labels_file=names).convert()
        assert labels(annotations) == {"a": 2, "b": 0, "c": 1}
        assert annotations.meta == DatasetMeta({0: "dog", 1: "polar bear", 2: "cat"})


def test_dataset_meta_file_names_the_classes(tmp_path):
    meta = tmp_path / "meta.json"
    meta.write_text(json.dumps({"label_map": {"5": "dog", "3": "cat"}, "background_label": 3}))
    annotations = converter(tmp_path, "file,label\na,cat\nb,dog", label="label", dataset_meta_file=meta).convert()
    assert labels(annotations) == {"a": 3, "b": 5}
    assert annotations.meta == DatasetMeta({3: "cat", 5: "dog"}, 3)


def test_names_may_be_numbers(tmp_path):
    names = written(tmp_path, "10", "20", "0")
    assert labels(converter(tmp_path, "file,label\na,20\nb,0", label="label", labels_file=names).convert()) == {
        "a": 1,
        "b": 2,
    }
    assert labels(converter(tmp_path, "file,label\na,1\nb,0", label="label", labels_file=names).convert()) == {
        "a": 1,
        "b": 0,
    }


def test_values(tmp_path):
    table = "file,x,y\nb.png,1.5,-2\na.png, 1e3 ,0\n"
    both = converter(tmp_path, table, values=["y", "x"]).convert()
    assert [item.identifier for item in both.items] == ["b.png", "a.png"]
    np.testing.assert_array_equal([item.annotation.values for item in both.items], [[-2, 1.5], [0, 1000]])
    one = converter(tmp_path, table, values="y").convert()
    assert [item.annotation.values.tolist() for item in one.items] == [[-2.0], [0.0]]
    assert one.items[0].annotation.values.dtype == np.float64
    assert one.meta == DatasetMeta()


def test_a_table_as_spreadsheets_write_it(tmp_path):
    table = '\ufeffname;"the label"\r\n\r\n"a; b.png";  cat \r\n;\r\n"c ""d"".png";"two\nlines"\r\n'
    annotations = converter(tmp_path, table, file="name", label="the label", delimiter=";").convert()
    assert labels(annotations) == {"a; b.png": 0, 'c "d".png': 1}
    assert annotations.meta.label_map == {0: "cat", 1: "two\nlines"}


def test_tabs_part_cells(tmp_path):
    assert labels(converter(tmp_path, "file\tlabel\na b\t1", label="label", delimiter="\t").convert()) == {"a b": 1}


def test_a_header_alone_has_no_items(tmp_path):
    assert converter(tmp_path, "file,label\n", label="label").convert().items == ()
    assert converter(tmp_path, "file,x\n", values="x").convert().items == ()


def test_images_dir_is_where_files_lie(tmp_path):
    for options in ({"label": "y"}, {"values": "y"}):
        assert converter(tmp_path, "file,y\na,1", images_dir=tmp_path, **options).convert().root == tmp_path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "neither label nor values found, one of them expected: the column of the class, or those of numbers"),
        (
            {"label": "y", "values": ["x"]},
            "label and values found, one of them expected: the column of the class, or those of numbers",
        ),
        ({"label": "y", "delimiter": "; "}, "delimiter: '; ' found, one character such as ',' or a tab expected"),
        ({"label": "y", "delimiter": '"'}, "delimiter: '\"' found, one character such as ',' or a tab expected"),
    ],
)
def test_options_that_contradict(tmp_path, options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        CSV(annotation_file=tmp_path / "items.csv", **options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        ("", 1, "no header found, a row with the names of the columns expected"),
        ("\nname,label\na,1", 2, "no column 'file' found; there are name, label"),
        ("files,label\na,1", 1, "no column 'file' found; did you mean 'files'?"),
        ("file,label,label\na,1,2", 1, "2 columns 'label' found, one expected; rename the others"),
        ("file,label\na,1\nb\n", 3, "cells: 1 found, 2 expected as in the header"),
        ("file,label\n\na,1\n\nb,1,2\n", 5, "cells: 3 found, 2 expected as in the header"),
        ("file,label\na,1\nb, \n", 3, "nothing found in column 'label'; fill it in or drop the row"),
        ("file,label\n,1\n", 2, "nothing found in column 'file'; fill it in or drop the row"),
        ('file,label\na,"1\n\nb,2\n', 2, "no row of a table: unexpected end of data"),
        ('file,label\na,1\n"b"c,2\n', 3, "no row of a table: ',' expected after '\"'"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, table, line, message):
    with pytest.raises(DataError) as caught:
        converter(tmp_path, table, label="label").convert()
    assert str(caught.value) == f"{tmp_path / 'items.csv'}:{line}:1: {message}"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("cta", "'cta' found, one of 3 classes expected; did you mean 'cat'?"),
        ("crane", "'crane' found, a name that only one class has, or its index expected"),
    ],
)
def test_a_name_that_is_no_class(tmp_path, cell, message):
    names = written(tmp_path, "cat", "dog", "wolf")
    if cell == "crane":
        names = written(tmp_path, "cat", "crane", "crane")
    with pytest.raises(DataError) as caught:
        converter(tmp_path, f"file,label\na,cat\nb,{cell}\n", label="label", labels_file=names).convert()
    assert str(caught.value) == f"{tmp_path / 'items.csv'}:3:1: {message}"


def test_an_index_that_is_no_class(tmp_path):
    with pytest.raises(DataError) as caught:
        converter(tmp_path, "file,label\na,1\nb,2\n", label="label", labels_file=written(tmp_path, "x", "y")).convert()
    assert caught.value.message == "'2' found, one of 2 classes expected"


@pytest.mark.parametrize("cell", ["one", "nan", "inf", "1,5", "0x1"])
def test_a_cell_that_is_no_number(tmp_path, cell):
    with pytest.raises(DataError) as caught:
        converter(tmp_path, f'file,x\na,1\nb,"{cell}"\n', values="x").convert()
    assert str(caught.value) == f"{tmp_path / 'items.csv'}:3:1: {cell!r} found, a finite number expected"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotation_file is not there: .*items\.csv$"):
        CSV(annotation_file=tmp_path / "items.csv", label="label").convert()
