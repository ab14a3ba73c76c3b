"""The common_text_recognition converter."""

from __future__ import annotations

import pytest

from pytest_torchlauncher.converters.common_text_recognition import CommonTextRecognition
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.types import DatasetMeta, Text

MINIMAL = {"common_text_recognition": {"annotation_file": "texts.txt"}}


def converted(folder, text):
    file = folder / "texts.txt"
    file.write_bytes(text.encode())
    return CommonTextRecognition(annotation_file=file).convert()


def test_a_line_is_a_file_and_its_text(tmp_path):
    annotations = converted(tmp_path, "b/1.png hello\r\n\n  a.png the whole  line\n2.wav ä ö\n")
    assert [(item.identifier, item.annotation) for item in annotations.items] == [
        ("b/1.png", Text("hello")),
        ("a.png", Text("the whole  line")),
        ("2.wav", Text("ä ö")),
    ]
    assert annotations.meta == DatasetMeta()
    assert annotations.root is None


def test_a_line_without_text_is_named_with_its_place(tmp_path):
    with pytest.raises(DataError) as caught:
        converted(tmp_path, "a.png one\n\nb.png \n")
    assert str(caught.value) == f"{tmp_path / 'texts.txt'}:3:1: 'b.png' found, 'file text' expected"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^annotation_file is not there: .*texts\.txt$"):
        CommonTextRecognition(annotation_file=tmp_path / "texts.txt").convert()
