"""The cls_dataset_folder converter."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pytest_torchlauncher.converters.cls_dataset_folder import ClassFolders
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.types import DatasetMeta

MINIMAL = {"cls_dataset_folder": {"data_dir": "data"}}


def fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def pairs(root: Path) -> list[tuple[str, int]]:
    return [(item.identifier, item.annotation.index) for item in ClassFolders(data_dir=root).convert().items]


def test_classes_and_files_are_sorted(tmp_path):
    fill(tmp_path, "dog/2.png", "cat/b.png", "cat/a.png", "dog/1.png", "read me.txt")
    annotations = ClassFolders(data_dir=tmp_path).convert()
    assert pairs(tmp_path) == [("cat/a.png", 0), ("cat/b.png", 0), ("dog/1.png", 1), ("dog/2.png", 1)]
    assert annotations.meta == DatasetMeta({0: "cat", 1: "dog"})
    assert annotations.root == tmp_path


def test_files_are_found_at_any_depth_and_through_links(tmp_path):
    fill(tmp_path / "data", "cat/sub/deep/a.png", "cat/b.png")
    fill(tmp_path / "elsewhere", "c.png")
    os.symlink(tmp_path / "elsewhere", tmp_path / "data/cat/link")
    assert [name for name, _ in pairs(tmp_path / "data")] == ["cat/b.png", "cat/link/c.png", "cat/sub/deep/a.png"]


def test_hidden_files_and_folders_are_skipped(tmp_path):
    fill(tmp_path, "cat/a.png", "cat/.DS_Store", "cat/.cache/b.png", ".git/c.png")
    assert pairs(tmp_path) == [("cat/a.png", 0)]


def test_an_empty_class_keeps_its_index(tmp_path):
    fill(tmp_path, "cat/a.png", "eel/b.png")
    (tmp_path / "dog").mkdir()
    assert pairs(tmp_path) == [("cat/a.png", 0), ("eel/b.png", 2)]


def test_agrees_with_torchvision(tmp_path):
    from torchvision.datasets import ImageFolder

    for name in ["b/1.png", "a/sub/2.png", "a/10.png", "a/9.png", "B/3.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((1, 1, 3), np.uint8)).save(tmp_path / name)
    theirs = ImageFolder(str(tmp_path))
    assert sorted(pairs(tmp_path)) == sorted((Path(p).relative_to(tmp_path).as_posix(), i) for p, i in theirs.samples)
    assert list(ClassFolders(data_dir=tmp_path).convert().meta.label_map.values()) == theirs.classes


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^data_dir is not there: .*nowhere$"):
        ClassFolders(data_dir=tmp_path / "nowhere").convert()


def test_a_folder_without_classes_is_an_error(tmp_path):
    fill(tmp_path, "a.png", ".git/x")
    with pytest.raises(DataError) as caught:
        ClassFolders(data_dir=tmp_path).convert()
    assert str(caught.value) == f"data_dir {tmp_path}: no folder found in it, one a class expected"


def test_classes_without_files_are_an_error(tmp_path):
    fill(tmp_path, "cat/.hidden", "dog/.hidden")
    with pytest.raises(DataError) as caught:
        ClassFolders(data_dir=tmp_path).convert()
    assert str(caught.value) == f"data_dir {tmp_path}: none of its 2 class folders holds a file"
