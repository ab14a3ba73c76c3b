"""The cifar converter and its reading of pickles."""

from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_torchlauncher.converters.cifar import Cifar
from pytest_torchlauncher.errors import DataError, MissingDataError
from pytest_torchlauncher.types import DatasetMeta

MINIMAL = {"cifar": {"data_batch_file": "data_batch_1"}}

RNG = np.random.default_rng(0)
DATA = RNG.integers(0, 256, (3, 3072), np.uint8)
CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def batch_file(folder: Path, protocol: int | None = None, **content: Any) -> Path:
    file = folder / "data_batch_1"
    file.write_bytes(pickle.dumps({"data": DATA, "labels": [3, 0, 9]} | content, protocol))
    return file


def test_images_are_rgb_with_the_channel_last(tmp_path):
    annotations = Cifar(data_batch_file=batch_file(tmp_path)).convert()
    assert [item.annotation.index for item in annotations.items] == [3, 0, 9]
    for row, item in zip(DATA, annotations.items, strict=True):
        assert item.data is not None
        assert (item.data.shape, item.data.dtype, item.color) == ((32, 32, 3), np.uint8, "rgb")
        for y, x, c in [(0, 0, 0), (3, 5, 1), (31, 31, 2), (0, 31, 2)]:
            assert item.data[y, x, c] == row[1024 * c + 32 * y + x]
    assert annotations.meta == DatasetMeta(dict(enumerate(CIFAR10)))
    assert annotations.root is None


def test_agrees_with_torchvision(tmp_path, monkeypatch):
    from torchvision.datasets import CIFAR10 as Theirs

    folder = tmp_path / Theirs.base_folder
    folder.mkdir()
    file = batch_file(folder, 2, filenames=["a.png", "b.png", "c.png"])
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": CIFAR10}))
    monkeypatch.setattr(Theirs, "train_list", [["data_batch_1", ""]])
    monkeypatch.setattr(Theirs, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    theirs = Theirs(str(tmp_path))
    ours = Cifar(data_batch_file=file).convert()
    assert [item.annotation.index for item in ours.items] == theirs.targets
    assert ours.meta.label_map == dict(enumerate(theirs.classes))
    np.testing.assert_array_equal(np.stack([item.data for item in ours.items]), theirs.data)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("data", [DATA, np.asfortranarray(DATA)], ids=["C", "F"])
def test_any_protocol_and_bytes_keys(tmp_path, protocol, data):
    content = {b"data": data, b"labels": [np.int64(3), 0, 9], b"filenames": [b"a.png", b"b.png", b"sub/c.png"]}
    (tmp_path / "batch").write_bytes(pickle.dumps(content, protocol))
    ours = Cifar(data_batch_file=tmp_path / "batch").convert()
    theirs = Cifar(data_batch_file=batch_file(tmp_path)).convert()
    assert [item.identifier for item in ours.items] == ["a.png", "b.png", "c.png"]
    assert [item.annotation for item in ours.items] == [item.annotation for item in theirs.items]
    for our, their in zip(ours.items, theirs.items, strict=True):
        np.testing.assert_array_equal(our.data, their.data)


def test_pickles_of_python_2_are_read(tmp_path):
    def text(value: bytes) -> bytes:
        return b"T" + struct.pack("<i", len(value)) + value

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + text(b"b") + b"tR(K\x01(K\x01M\x00\x0ct"
        b"cnumpy\ndtype\n("
        + text(b"u1")
        + b"K\x00K\x01tR(K\x03"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
        b"K\x00tb\x89" + text(DATA[0].tobytes()) + b"tb"
    )
    (tmp_path / "batch").write_bytes(b"\x80\x02}(" + text(b"data") + array + text(b"labels") + b"]K\x05a" + b"u.")
    (item,) = Cifar(data_batch_file=tmp_path / "batch").convert().items
    assert item.annotation.index == 5
    np.testing.assert_array_equal(item.data, DATA[0].reshape(3, 32, 32).transpose(1, 2, 0))


def test_identifiers_name_index_and_class_without_filenames(tmp_path):
    items = Cifar(data_batch_file=batch_file(tmp_path)).convert().items
    assert [item.identifier for item in items] == ["0_cat.png", "1_airplane.png", "2_truck.png"]


def test_identifiers_are_base_names(tmp_path):
    file = batch_file(tmp_path, filenames=["../../a.png", "/etc/b.png", r"c:\up\c.png"])
    assert [item.identifier for item in Cifar(data_batch_file=file).convert().items] == ["a.png", "b.png", "c.png"]


def test_a_background_moves_labels_and_names_up(tmp_path):
    annotations = Cifar(data_batch_file=batch_file(tmp_path), has_background=True).convert()
    assert [item.annotation.index for item in annotations.items] == [4, 1, 10]
    assert [item.identifier for item in annotations.items] == ["0_cat.png", "1_airplane.png", "2_truck.png"]
    assert annotations.meta == DatasetMeta(dict(enumerate(["background", *CIFAR10])), 0)


def test_cifar100_takes_fine_labels_and_alphabetical_names(tmp_path):
    from torchvision.datasets import CIFAR100

    assert CIFAR100.meta["key"] == "fine_label_names"
    file = batch_file(tmp_path, fine_labels=[0, 49, 99], coarse_labels=[1, 2, 3])
    annotations = Cifar(data_batch_file=file, num_classes=100).convert()
    names = list(annotations.meta.label_map.values())
    assert [item.annotation.index for item in annotations.items] == [0, 49, 99]
    assert (len(names), len(set(names)), names) == (100, 100, sorted(names))
    assert [item.identifier for item in annotations.items] == ["0_apple.png", "1_mountain.png", "2_worm.png"]


def test_batch_meta_file_names_the_classes(tmp_path):
    names = [f"class {i}" for i in range(10)]
    (tmp_path / "batches.meta").write_bytes(pickle.dumps({b"label_names": [name.encode() for name in names]}, 2))
    converter = Cifar(data_batch_file=batch_file(tmp_path), batch_meta_file=tmp_path / "batches.meta")
    assert converter.convert().meta == DatasetMeta(dict(enumerate(names)))


def test_dataset_meta_file_names_the_classes(tmp_path):
    (tmp_path / "meta.json").write_text(json.dumps({"labels": ["a", "b"]}))
    file = batch_file(tmp_path, labels=[0, 1, 2])
    annotations = Cifar(data_batch_file=file, dataset_meta_file=tmp_path / "meta.json").convert()
    assert annotations.meta == DatasetMeta({0: "a", 1: "b"})
    assert [item.identifier for item in annotations.items] == ["0_a.png", "1_b.png", "2_2.png"]


def test_images_are_written_where_missing(tmp_path):
    from PIL import Image

    folder = tmp_path / "converted_images"
    folder.mkdir()
    (folder / "1_airplane.png").write_bytes(b"already there")
    annotations = Cifar(data_batch_file=batch_file(tmp_path), convert_images=True).convert()
    assert annotations.root == folder
    assert sorted(path.name for path in folder.iterdir()) == ["0_cat.png", "1_airplane.png", "2_truck.png"]
    assert (folder / "1_airplane.png").read_bytes() == b"already there"
    for item in (annotations.items[0], annotations.items[2]):
        with Image.open(folder / item.identifier) as image:
            assert image.mode == "RGB"
            np.testing.assert_array_equal(np.array(image), item.data)


def test_images_are_written_where_told(tmp_path):
    file = batch_file(tmp_path)
    root = tmp_path / "deep" / "images"
    assert Cifar(data_batch_file=file, convert_images=True, converted_images_dir=root).convert().root == root
    assert len(list(root.iterdir())) == 3


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    converter = Cifar(data_batch_file=batch_file(tmp_path), convert_images=True, converted_images_dir=tmp_path / "file")
    with pytest.raises(DataError) as caught:
        converter.convert()
    assert str(caught.value) == (
        f"converted images cannot be written to {tmp_path / 'file'}: File exists; "
        "set converted_images_dir to a folder that can be written to, or convert_images: false"
    )


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_payload_is_refused_and_never_runs(tmp_path, protocol):
    marker = tmp_path / "executed"
    file = batch_file(tmp_path, protocol, extra=Payload(marker))
    with pytest.raises(DataError) as caught:
        Cifar(data_batch_file=file).convert()
    assert str(caught.value) == (
        f"data_batch_file {file}: refused: it names {os.mkdir.__module__}.mkdir, plain data expected"
    )
    assert not marker.exists()
    pickle.loads(file.read_bytes())
    assert marker.exists()


@pytest.mark.parametrize(
    ("pickled", "name"),
    [
        (b"cbuiltins\neval\n(V1\ntR.", "builtins.eval"),
        (b"c__builtin__\ngetattr\n.", "__builtin__.getattr"),
        (b"cnumpy\nload\n.", "numpy.load"),
        (b"cnumpy.core.multiarray\n_reconstruct.__globals__\n.", "numpy.core.multiarray._reconstruct.__globals__"),
        (b"cfunctools\npartial\n.", "functools.partial"),
    ],
)
def test_other_names_are_refused(tmp_path, pickled, name):
    (tmp_path / "batch").write_bytes(pickled)
    with pytest.raises(DataError, match="refused: it names") as caught:
        Cifar(data_batch_file=tmp_path / "batch").convert()
    assert f" {name}, plain data expected" in str(caught.value)


def test_an_array_of_objects_over_raw_memory_is_refused(tmp_path):
    pickled = b"cnumpy._core.numeric\n_frombuffer\n(C\x08\0\0\0\0\0\0\0\0cnumpy\ndtype\n(VO8\nI00\nI01\ntR(I1\ntVC\ntR."
    (tmp_path / "batch").write_bytes(pickled)
    with pytest.raises(DataError, match="cannot be read as a pickle: cannot create an OBJECT array"):
        Cifar(data_batch_file=tmp_path / "batch").convert()
    (tmp_path / "batch").write_bytes(b"cnumpy\nndarray\n((I1\ntVO8\nC\x08\0\0\0\0\0\0\0\0tR.")
    with pytest.raises(DataError, match="cannot be read as a pickle: 'NoneType' object is not callable"):
        Cifar(data_batch_file=tmp_path / "batch").convert()


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps({"data": DATA})[:100]])
def test_other_files_are_no_pickles(tmp_path, content):
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(DataError, match=r"^data_batch_file .*batch cannot be read as a pickle: \S+"):
        Cifar(data_batch_file=tmp_path / "batch").convert()


def test_a_pickle_of_something_else(tmp_path):
    (tmp_path / "batch").write_bytes(pickle.dumps([1]))
    with pytest.raises(DataError) as caught:
        Cifar(data_batch_file=tmp_path / "batch").convert()
    assert str(caught.value) == f"data_batch_file {tmp_path / 'batch'}: a list found, a mapping expected"


@pytest.mark.parametrize(
    ("content", "num_classes", "message"),
    [
        ({"data": [1]}, 10, "data: a list found, an array (N, 3072) uint8 expected"),
        ({"data": DATA[:, :10]}, 10, "data: an array (3, 10) uint8 found, (N, 3072) uint8 expected"),
        ({"data": DATA / 255}, 10, "data: an array (3, 3072) float64 found, (N, 3072) uint8 expected"),
        ({"labels": [1, 2]}, 10, "3 images and 2 labels found, as many of both expected"),
        ({"labels": [1, 2, 10]}, 10, "labels: other values found than a list of class indices from 0 to 9"),
        ({"labels": [1, 2, -1]}, 10, "labels: other values found than a list of class indices from 0 to 9"),
        ({"labels": [1, 2, [3]]}, 10, "labels: other values found than a list of class indices from 0 to 9"),
        ({"labels": 5}, 10, "labels: other values found than a list of class indices from 0 to 9"),
        ({}, 100, "no 'fine_labels' found, only data, labels; is num_classes right?"),
    ],
)
def test_a_batch_of_another_form(tmp_path, content, num_classes, message):
    file = batch_file(tmp_path, **content)
    with pytest.raises(DataError) as caught:
        Cifar(data_batch_file=file, num_classes=num_classes).convert()
    assert str(caught.value) == f"data_batch_file {file}: {message}"


def test_batch_meta_of_another_form(tmp_path):
    meta = tmp_path / "batches.meta"
    meta.write_bytes(pickle.dumps({"label_names": ["a", "b"]}))
    with pytest.raises(DataError) as caught:
        Cifar(data_batch_file=batch_file(tmp_path), batch_meta_file=meta).convert()
    assert str(caught.value) == (f"batch_meta_file {meta}: no 10 names found in 'label_names'; is num_classes right?")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"^data_batch_file is not there: .*nowhere$"):
        Cifar(data_batch_file=tmp_path / "nowhere").convert()
    with pytest.raises(MissingDataError, match=r"^batch_meta_file is not there: .*nowhere$"):
        Cifar(data_batch_file=batch_file(tmp_path), batch_meta_file=tmp_path / "nowhere").convert()


def test_num_classes_is_10_or_100():
    with pytest.raises(ValueError, match=r"^num_classes: 20 found, 10 or 100 expected$"):
        Cifar(data_batch_file=Path("x"), num_classes=20)
