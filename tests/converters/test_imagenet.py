"""The imagenet converter, and the dataset_meta_file that it shares with others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_torchlauncher.converters.imagenet import ImageNet
from pytest_torchlauncher.errors import DataError, MissingDataError, Position
from pytest_torchlauncher.types import DatasetMeta

MINIMAL = {"imagenet": {"annotation_file": "val.txt"}}


def annotation_file(folder: Path, text: str) -> Path:
    file = folder / "val.txt"
    file.write_bytes(text.encode())
    return file


def labels(converter: ImageNet) -> list[tuple[str, int]]:
    return [(item.identifier, item.annotation.index) for item in converter.convert().items]


def test_lines_keep_their_order(tmp_path):
    file = annotation_file(tmp_path, "b.png 3\na.png 0\n")
    assert labels(ImageNet(annotation_file=file)) == [("b.png", 3), ("a.png", 0)]


@pytest.mark.parametrize(
    ("line", "identifier"),
    [
        ("val/n01/a.png 7", "a.png"),
        ("archive@a.png 7", "a.png"),
        ("val/one@two@a.png 7", "a.png"),
        ("val/two words here.png 7", "two words here.png"),
        ("  a.png\t 7 \r", "a.png"),
        ("\ufeffa.png 7", "a.png"),
    ],
)
def test_only_the_last_part_of_a_name_counts(tmp_path, line, identifier):
    assert labels(ImageNet(annotation_file=annotation_file(tmp_path, line))) == [(identifier, 7)]


def test_blank_lines_are_skipped(tmp_path):
    file = annotation_file(tmp_path, "\na.png 1\r\n\r\n   \nb.png 2\n\n")
    assert labels(ImageNet(annotation_file=file)) == [("a.png", 1), ("b.png", 2)]


def test_an_empty_file_has_no_items(tmp_path):
    assert ImageNet(annotation_file=annotation_file(tmp_path, "\n")).convert().items == ()


@pytest.mark.parametrize("line", ["a.png", "a.png one", "a.png -1", "a.png 1.0", "a.png 1_0", "a.png \u0663", "x@ 3"])
def test_a_bad_line_is_named_with_its_place(tmp_path, line):
    file = annotation_file(tmp_path, f"good.png 1\n\n{line}\n")
    with pytest.raises(DataError) as caught:
        ImageNet(annotation_file=file).convert()
    assert caught.value.where == Position(file, 3, 1)
    assert str(caught.value) == f"{file}:3:1: {line!r} found, 'name label' with a class index from 0 expected"


def test_two_names_of_one_file_are_an_error(tmp_path):
    file = annotation_file(tmp_path, "n01/1.png 0\nn02/1.png 1\n")
    with pytest.raises(DataError) as caught:
        ImageNet(annotation_file=file).convert()
    assert str(caught.value) == f"{file}:2:1: n02/1.png and n01/1.png are both read as 1.png: rename one"


def test_the_same_name_may_occur_twice(tmp_path):
    file = annotation_file(tmp_path, "n01/1.png 0\nn01/1.png 0\n")
    assert labels(ImageNet(annotation_file=file)) == [("1.png", 0), ("1.png", 0)]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotation_file is not there: .*nowhere\.txt$"):
        ImageNet(annotation_file=tmp_path / "nowhere.txt").convert()


def test_a_folder_cannot_be_read_as_a_file(tmp_path):
    with pytest.raises(DataError, match=r"^annotation_file .* cannot be read: Is a directory$"):
        ImageNet(annotation_file=tmp_path).convert()


def test_text_must_be_utf8(tmp_path):
    file = tmp_path / "val.txt"
    file.write_bytes(b"a.png 1\nb\xe9.png 2\n")
    with pytest.raises(DataError) as caught:
        ImageNet(annotation_file=file).convert()
    assert str(caught.value) == f"annotation_file {file} is not UTF-8 text (byte 9); save it as UTF-8"


def test_without_names_nothing_is_known_of_the_classes(tmp_path):
    annotations = ImageNet(annotation_file=annotation_file(tmp_path, "a.png 1")).convert()
    assert annotations.meta == DatasetMeta({}, None)
    assert annotations.root is None


def test_images_dir_is_where_images_lie(tmp_path):
    file = annotation_file(tmp_path, "a.png 1")
    assert ImageNet(annotation_file=file, images_dir=tmp_path).convert().root == tmp_path


def test_labels_file_names_the_classes(tmp_path):
    names = tmp_path / "synset_words.txt"
    names.write_text("n01440764 tench, Tinca tinca\nn01443537 goldfish\ncat\n\n")
    converter = ImageNet(annotation_file=annotation_file(tmp_path, "a.png 1"), labels_file=names)
    assert converter.convert().meta == DatasetMeta({0: "tench, Tinca tinca", 1: "goldfish", 2: "cat"}, None)


def test_a_background_moves_labels_and_names_up(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("n0 tench\nn1 goldfish\n")
    file = annotation_file(tmp_path, "a.png 0\nb.png 1\n")
    converter = ImageNet(annotation_file=file, labels_file=names, has_background=True)
    assert labels(converter) == [("a.png", 1), ("b.png", 2)]
    assert converter.convert().meta == DatasetMeta({0: "background", 1: "tench", 2: "goldfish"}, 0)


@pytest.mark.parametrize(
    ("content", "has_background", "expected"),
    [
        ({"label_map": {"0": "cat", "5": "dog"}}, False, DatasetMeta({0: "cat", 5: "dog"})),
        ({"label_map": {"0": "cat"}, "labels": ["x"]}, True, DatasetMeta({0: "cat"})),
        ({"labels": ["cat", "dog"]}, False, DatasetMeta({0: "cat", 1: "dog"})),
        ({"labels": ["cat", "dog"]}, True, DatasetMeta({0: "background", 1: "cat", 2: "dog"}, 0)),
        ({"labels": ["cat", "void"], "background_label": 1}, False, DatasetMeta({0: "cat", 1: "void"}, 1)),
        ({}, True, DatasetMeta()),
    ],
)
def test_dataset_meta_file(tmp_path, content, has_background, expected):
    meta = tmp_path / "meta.json"
    meta.write_text(json.dumps(content))
    file = annotation_file(tmp_path, "a.png 0")
    converter = ImageNet(annotation_file=file, dataset_meta_file=meta, has_background=has_background)
    assert converter.convert().meta == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1]", "a list found, an object with 'label_map' or 'labels' expected"),
        ('{"labels": {"0": "cat"}}', "labels: a dict found, a list of class names expected"),
        ('{"label_map": ["cat"]}', "label_map: a list found, an object of index to name expected"),
        ('{"label_map": {"cat": 0}}', "label_map: key 'cat' found, a class index such as '0' expected"),
        ('{"background_label": "sky"}', "background_label: 'sky' found, a class index expected"),
        ('{"background_label": true}', "background_label: True found, a class index expected"),
    ],
)
def test_dataset_meta_file_of_another_form(tmp_path, content, message):
    meta = tmp_path / "meta.json"
    meta.write_text(content)
    with pytest.raises(DataError) as caught:
        ImageNet(annotation_file=annotation_file(tmp_path, "a.png 0"), dataset_meta_file=meta).convert()
    assert str(caught.value) == f"dataset_meta_file {meta}: {message}"


def test_invalid_json_is_named_with_its_place(tmp_path):
    meta = tmp_path / "meta.json"
    meta.write_text('{\n  "labels": ["cat",]\n}')
    with pytest.raises(DataError) as caught:
        ImageNet(annotation_file=annotation_file(tmp_path, "a.png 0"), dataset_meta_file=meta).convert()
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == (meta, 2)
    assert caught.value.message.startswith("invalid JSON: ")
    assert caught.value.message.endswith("; correct the file")
