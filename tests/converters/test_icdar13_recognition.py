"""The icdar13_recognition converter."""

from __future__ import annotations

import string

import pytest

from pytest_torchlauncher.converters.icdar13_recognition import Icdar13Recognition
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.types import Text

MINIMAL = {"icdar13_recognition": {"annotation_file": "gt.txt"}}


def converter(folder, text, **options):
    file = folder / "gt.txt"
    file.write_bytes(text.encode())
    return construct(Icdar13Recognition, {"annotation_file": file, **options}, Context())


def texts(converter):
    return {item.identifier: item.annotation for item in converter.convert().items}


def test_lines_keep_their_order(tmp_path):
    found = texts(converter(tmp_path, "word_2.png tiredness\n\nword_1.png 42\r\n"))
    assert list(found.items()) == [("word_2.png", Text("tiredness")), ("word_1.png", Text("42"))]


def test_only_the_first_delimiter_parts(tmp_path):
    assert texts(converter(tmp_path, "1.png two words")) == {"1.png": Text("two words")}
    assert texts(converter(tmp_path, "my word.png\ta\tb c", delimeter="tab")) == {"my word.png": Text("a\tb c")}


@pytest.mark.parametrize(("delimiter", "line"), [("space", "1.png\tword"), ("tab", "1.png word")])
def test_a_line_without_delimiter_is_named_with_its_place(tmp_path, delimiter, line):
    with pytest.raises(DataError) as caught:
        converter(tmp_path, f"\n{line}\n", delimeter=delimiter).convert()
    message = f"{line!r} found, file and text with a {delimiter} between expected"
    assert str(caught.value) == f"{tmp_path / 'gt.txt'}:2:1: {message}"


def test_the_alphabet_ends_with_the_blank(tmp_path):
    meta = converter(tmp_path, "1.png a").convert().meta
    assert "".join(meta.label_map[index] for index in range(36)) == string.digits + string.ascii_lowercase
    assert (len(meta.label_map), meta.blank_label) == (36, 36)


def test_images_lie_beside_the_file_or_in_images_dir(tmp_path):
    assert converter(tmp_path, "1.png a").convert().root == tmp_path
    assert converter(tmp_path, "1.png a", images_dir=tmp_path / "images").convert().root == tmp_path / "images"


def test_other_delimiters_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'comma' found, 'space' or 'tab' expected"):
        converter(tmp_path, "", delimeter="comma")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotation_file is not there: .*gt\.txt$"):
        Icdar13Recognition(annotation_file=tmp_path / "gt.txt").convert()
