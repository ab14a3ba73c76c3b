import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from pytest_torchlauncher.data.stored import open_stored
from pytest_torchlauncher.errors import DataError
from pytest_torchlauncher.kinds import Converter
from pytest_torchlauncher.options import Component
from pytest_torchlauncher.plan import DatasetSpec
from pytest_torchlauncher.types import Annotated, Annotations, Label


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
