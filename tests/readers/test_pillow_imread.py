"""The pillow_imread reader."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pytest_torchlauncher.readers.pillow_imread import PillowImread

RGB = np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "CMYK", "I;16"])
def test_everything_becomes_rgb(mode):
    kind = "TIFF" if mode == "CMYK" else "PNG"
    image = Image.fromarray(RGB).convert("L").convert(mode) if mode == "I;16" else Image.fromarray(RGB).convert(mode)
    content = encoded(image, kind)
    data, color = PillowImread().decode(content)
    with Image.open(io.BytesIO(content)) as opened:
        np.testing.assert_array_equal(data, np.asarray(opened.convert("RGB")))
    assert (data.shape, data.dtype, color) == ((13, 17, 3), np.uint8, "rgb")


def test_a_png_file_gives_its_pixels():
    np.testing.assert_array_equal(PillowImread().decode(encoded(Image.fromarray(RGB)))[0], RGB)


@pytest.mark.parametrize(
    ("mode", "shape", "color"),
    [
        ("RGB", (13, 17, 3), "rgb"),
        ("RGBA", (13, 17, 4), "rgb"),
        ("L", (13, 17, 1), "gray"),
        ("P", (13, 17, 1), None),
        ("LA", (13, 17, 2), None),
    ],
)
def test_the_mode_may_stay(mode, shape, color):
    image = Image.fromarray(RGB).convert(mode)
    data, found = PillowImread(to_rgb=False).decode(encoded(image))
    assert (data.shape, found) == (shape, color)
    np.testing.assert_array_equal(data.squeeze(), np.asarray(image))


def test_the_exif_orientation_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    data, _ = PillowImread().decode(encoded(Image.fromarray(RGB), "JPEG", exif=exif))
    assert data.shape == (13, 17, 3)


@pytest.mark.parametrize("to_rgb", [True, False])
@pytest.mark.parametrize("content", [b"", b"no image", encoded(Image.fromarray(RGB), "JPEG")[:400]])
def test_what_cannot_be_decoded(content, to_rgb):
    with pytest.raises(
        ValueError, match=rf"^{len(content)} bytes found that Pillow cannot decode( \(.+\)|, an image expected)$"
    ):
        PillowImread(to_rgb=to_rgb).decode(content)
