"""The opencv_imread reader against cv2.imread."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pytest_torchlauncher.options import construct
from pytest_torchlauncher.paths import Context
from pytest_torchlauncher.readers.opencv_imread import OpenCVImread

FLAGS = {"color": cv2.IMREAD_COLOR, "gray": cv2.IMREAD_GRAYSCALE, "unchanged": cv2.IMREAD_UNCHANGED}
RNG = np.random.default_rng(0)


def image_files(folder: Path) -> list[Path]:
    """Color, gray, alpha, 16 bit, palette, and a JPEG file turned by its EXIF orientation."""
    rgb = Image.fromarray(RNG.integers(0, 256, (13, 17, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb.save(folder / "rgb.png")
    rgb.save(folder / "rgb.jpg")
    rgb.save(folder / "turned.jpg", exif=exif)
    rgb.convert("L").save(folder / "gray.png")
    rgb.quantize(16).save(folder / "palette.png")
    Image.fromarray(RNG.integers(0, 256, (13, 17, 4), np.uint8)).save(folder / "alpha.png")
    cv2.imwrite(str(folder / "deep.png"), RNG.integers(0, 2**16, (13, 17, 3), np.uint16))
    return sorted(folder.iterdir())


@pytest.mark.parametrize("flag", FLAGS)
def test_equals_imread(tmp_path, flag):
    for file in image_files(tmp_path):
        data, color = OpenCVImread(reading_flag=flag).decode(file.read_bytes())
        expected = cv2.imread(str(file), FLAGS[flag])
        assert data.ndim == 3
        assert data.dtype == expected.dtype
        np.testing.assert_array_equal(data.squeeze(), expected, err_msg=file.name)
        assert color == ("gray" if expected.ndim == 2 else "bgr")


def test_the_default_is_color(tmp_path):
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(tmp_path / "gray.png")
    data, color = OpenCVImread().decode((tmp_path / "gray.png").read_bytes())
    assert (data.shape, color) == ((2, 3, 3), "bgr")


def test_fetch_reads_the_file(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.png").write_bytes(b"content")
    assert OpenCVImread().fetch(tmp_path, "sub/a.png") == b"content"


def oversized_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 200_000, 200_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("content", [b"", b"no image", oversized_png()])
def test_what_cannot_be_decoded(content):
    with pytest.raises(ValueError, match="that OpenCV cannot decode") as caught:
        OpenCVImread().decode(content)
    assert str(caught.value) == f"{len(content)} bytes found that OpenCV cannot decode, an image expected"


def test_options_in_any_case():
    assert construct(OpenCVImread, {"reading_flag": "GRAY"}, Context()) == OpenCVImread(reading_flag="gray")
    with pytest.raises(ValueError, match="'color', 'gray' or 'unchanged' expected"):
        construct(OpenCVImread, {"reading_flag": "grey"}, Context())
    with pytest.raises(ValueError, match="'color', 'gray' or 'unchanged' expected"):
        construct(OpenCVImread, {"reading_flag": 3}, Context())
