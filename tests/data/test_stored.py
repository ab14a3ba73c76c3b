import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from pytest_torchlauncher.data.stored import open_stored
from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.kinds import Converter
from pytest_torchlauncher.options import Component
from pytest_torchlauncher.plan import Amount, DatasetSpec
from pytest_torchlauncher.types import Annotated, Annotations, InFile, Label, Text


@dataclass(frozen=True)
class Pairs(Converter):
    """Two images an item."""

    def convert(self):
        return Annotations(
            [Annotated(f"pair {i}", Label(i), parts=(f"left/{i}.png", f"right/{i}.png")) for i in range(2)]
        )


@pytest.fixture
def spec(tmp_path):
    for index, part in enumerate(Pairs().convert().items[0].parts + Pairs().convert().items[1].parts):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / part), np.full((4, 5 + index, 3), index, np.uint8))
    return DatasetSpec("pairs", data_source=tmp_path, annotation_conversion=Component("pairs", {}, Pairs()))


def test_items_of_several_files(spec, tmp_path):
    first, second = open_stored(spec).samples
    assert list(first.data) == ["left/0.png", "right/0.png"]
    assert [part.shape for part in second.data.values()] == [(4, 7, 3), (4, 8, 3)]
    assert (first.identifier, first.color, first.original_size) == ("pair 0", "bgr", (4, 5))
    contents = [(tmp_path / part).read_bytes() for part in first.data]
    expected = hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents))
    assert first.digest == expected.hexdigest()


def test_files_that_are_missing(spec, tmp_path):
    (tmp_path / "right/0.png").unlink()
    (tmp_path / "left/1.png").unlink()
    with pytest.raises(DataError) as info:
        list(open_stored(spec).samples)
    message = f"2 of 4 annotated files are not in {tmp_path}, the first is right/0.png"
    assert info.value.message == message


def test_a_file_that_is_no_image(spec, tmp_path):
    (tmp_path / "right/0.png").write_text("words")
    with pytest.raises(DataError, match=r"right/0\.png"):
        list(open_stored(spec).samples)


def text_of(content: bytes) -> Text:
    if not content.isascii():
        raise ValueError("no ASCII found, ASCII expected")
    return Text(content.decode())


@dataclass(frozen=True)
class InFiles(Converter):
    """One image with two annotations, each in a file of its own."""

    root: Path | None = None

    def convert(self):
        return Annotations(
            [
                Annotated(f"{i}.png#{i}", InFile(f"{i}.txt", text_of, self.root), file="one.png", region=(0, 0, i, 9))
                for i in range(2)
            ]
        )


@pytest.fixture
def folders(tmp_path):
    for name in ("data", "masks", "more", "own"):
        (tmp_path / name).mkdir()
        for index in range(2):
            (tmp_path / name / f"{index}.txt").write_text(f"{name} {index}")
    cv2.imwrite(str(tmp_path / "data" / "one.png"), np.zeros((4, 5, 3), np.uint8))
    return tmp_path


@pytest.mark.parametrize(
    ("options", "root", "found"),
    [
        ({"segmentation_masks_source": "masks", "additional_data_source": "more"}, "own", "masks"),
        ({"additional_data_source": "more"}, "own", "more"),
        ({}, "own", "own"),
        ({}, None, "data"),
    ],
)
def test_annotations_in_files_are_read_with_their_sample(folders, options, root, found):
    converter = InFiles(folders / root if root else None)
    sources = {key: folders / name for key, name in options.items()}
    spec = DatasetSpec(
        "d", data_source=folders / "data", annotation_conversion=Component("in_files", {}, converter), **sources
    )
    samples = list(open_stored(spec).samples)
    assert [sample.annotation for sample in samples] == [Text(f"{found} 0"), Text(f"{found} 1")]
    assert [sample.identifier for sample in samples] == ["0.png#0", "1.png#1"]
    assert [sample.region for sample in samples] == [(0, 0, 0, 9), (0, 0, 1, 9)]
    assert samples[0].digest == samples[1].digest != ""


def test_an_annotation_that_cannot_be_read_is_told(folders):
    spec = DatasetSpec("d", data_source=folders / "data", annotation_conversion=Component("f", {}, InFiles()))
    (folders / "data" / "0.txt").write_bytes("ä".encode())
    with pytest.raises(DataError) as odd:
        list(open_stored(spec).samples)
    assert odd.value.message == f"annotation {folders / 'data' / '0.txt'}: no ASCII found, ASCII expected"
    (folders / "data" / "0.txt").unlink()
    with pytest.raises(DataError) as gone:
        list(open_stored(spec).samples)
    assert gone.value.message == (f"annotation {folders / 'data' / '0.txt'} cannot be read: No such file or directory")


def test_a_subset_is_drawn(folders):
    spec = DatasetSpec(
        "d",
        data_source=folders / "data",
        annotation_conversion=Component("f", {}, InFiles()),
        subsample_size=Amount(1),
        shuffle=False,
    )
    assert [sample.identifier for sample in open_stored(spec).samples] == ["0.png#0"]
