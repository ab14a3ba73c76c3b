"""The lmdb_text_recognition_database converter."""

from __future__ import annotations

import sys

import lmdb
import pytest

from pytest_torchlauncher.converters.lmdb_text_recognition_database import LmdbTextRecognitionDatabase
from pytest_torchlauncher.errors import DataError, MissingDataError, MissingExtraError
from pytest_torchlauncher.types import Text

MINIMAL = {"lmdb_text_recognition_database": {"data_dir": "words"}}


def database(folder, **entries):
    with lmdb.open(str(folder), map_size=2**20) as store, store.begin(write=True) as transaction:
        for key, value in entries.items():
            transaction.put(key.replace("_", "-").encode(), value)
    return folder


def three(folder):
    texts = ["Zwölf", "a b", ""]
    labels = {f"label_{number:09d}": text.encode() for number, text in enumerate(texts, start=1)}
    return database(folder, num_samples=b"3", **labels)


def test_texts_come_in_the_order_of_their_numbers(tmp_path):
    annotations = LmdbTextRecognitionDatabase(data_dir=three(tmp_path / "words")).convert()
    assert [(item.identifier, item.annotation) for item in annotations.items] == [
        ("1", Text("Zwölf")),
        ("2", Text("a b")),
        ("3", Text("")),
    ]
    assert annotations.root == tmp_path / "words"
    assert annotations.meta.blank_label == 36
    assert annotations.meta.label_map[10] == "a"


def test_lower_case(tmp_path):
    annotations = LmdbTextRecognitionDatabase(data_dir=three(tmp_path), lower_case=True).convert()
    assert [item.annotation.text for item in annotations.items] == ["zwölf", "a b", ""]


def test_the_database_is_closed_again(tmp_path):
    three(tmp_path)
    LmdbTextRecognitionDatabase(data_dir=tmp_path).convert()
    with lmdb.open(str(tmp_path), readonly=True) as store:
        assert store.stat()["entries"] == 4


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({}, "no key num-samples found"),
        ({"num_samples": b"three"}, "num-samples: 'three' found, a number expected"),
        ({"num_samples": b"1"}, "no key label-000000001 found"),
        ({"num_samples": b"1", "label_000000001": b"\xe4"}, "label-000000001: byte 0 is no UTF-8, text expected"),
    ],
)
def test_what_a_database_may_lack(tmp_path, entries, message):
    with pytest.raises(DataError) as caught:
        LmdbTextRecognitionDatabase(data_dir=database(tmp_path, **entries)).convert()
    assert str(caught.value) == f"data_dir {tmp_path}: {message}"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^data_dir is not there: .*nowhere$"):
        LmdbTextRecognitionDatabase(data_dir=tmp_path / "nowhere").convert()


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(DataError, match=r"^data_dir cannot be read as LMDB: .*No such file or directory$"):
        LmdbTextRecognitionDatabase(data_dir=tmp_path).convert()


def test_lmdb_is_an_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(MissingExtraError) as caught:
        LmdbTextRecognitionDatabase(data_dir=tmp_path).convert()
    assert str(caught.value) == 'lmdb is not installed; run pip install "pytest-torchlauncher[lmdb]"'
