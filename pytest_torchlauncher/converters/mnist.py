"""MNIST and datasets in its format, IDX."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, display_path
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Array, DatasetMeta, Label
from ._files import read_bytes
from ._images import write_missing
from ._meta import read_meta

__all__ = ["Mnist"]

_LABELS_MAGIC = 2049
_IMAGES_MAGIC = 2051


@register("mnist")
@dataclass(frozen=True, kw_only=True)
class Mnist(Converter):
    """Images and labels from a pair of IDX files, plain or compressed by gzip, http://yann.lecun.com/exdb/mnist/.

    Args:
        labels_file: ``…-labels-idx1-ubyte``.
        images_file: ``…-images-idx3-ubyte``.
        convert_images: whether to write the images as PNG files too, those that are not there yet.
        converted_images_dir: where to; by default ``converted_images`` beside the images file.
        dataset_meta_file: JSON with the classes; by default they are the digits.
    """

    labels_file: DataPath
    images_file: DataPath
    convert_images: bool = False
    converted_images_dir: DataPath | None = None
    dataset_meta_file: DataPath | None = None

    def convert(self) -> Annotations:
        """Return the images (H, W, 1) uint8 gray, in the order of the file.

        Raises:
            MissingDataError: a file is not there.
            DataError: a file is no IDX file of its kind, or they do not belong together.
        """
        labels = _read_idx(self.labels_file, "labels_file", _LABELS_MAGIC, 1)
        images = _read_idx(self.images_file, "images_file", _IMAGES_MAGIC, 3)
        if len(labels) != len(images):
            raise DataError(
                f"{len(images)} images in {display_path(self.images_file)} and {len(labels)} labels in "
                f"{display_path(self.labels_file)} found, as many of both expected"
            )
        items = tuple(
            Annotated(f"{index}.png", Label(int(label)), image[..., np.newaxis], "gray")
            for index, (label, image) in enumerate(zip(labels, images, strict=True))
        )
        root = self.converted_images_dir or self.images_file.parent / "converted_images"
        if self.convert_images:
            write_missing(items, root)
        return Annotations(items, self._meta(), root if self.convert_images else None)

    def _meta(self) -> DatasetMeta:
        if self.dataset_meta_file is not None:
            return read_meta(self.dataset_meta_file)
        return DatasetMeta({digit: str(digit) for digit in range(10)})


def _read_idx(path: Path, option: str, magic: int, ndim: int) -> Array:
    """Return the uint8 array of `ndim` axes in an IDX file: magic, sizes (big-endian int32), values."""
    content = _uncompressed(read_bytes(path, option), path, option)
    if (found := int.from_bytes(content[:4], "big")) != magic:
        raise _error(path, option, f"magic number {found} found, {magic} expected; is it the right file?")
    start = 4 * (1 + ndim)
    if len(content) < start:
        raise _error(path, option, f"{len(content)} bytes found, a header of {start} expected; fetch the file again")
    shape = np.frombuffer(content[4:start], ">u4").tolist()
    if len(content) - start != math.prod(shape):
        sizes = " x ".join(map(str, shape))
        raise _error(path, option, f"{len(content) - start} values found, {sizes} expected; fetch the file again")
    return np.frombuffer(bytearray(content), np.uint8, offset=start).reshape(shape)


def _uncompressed(content: bytes, path: Path, option: str) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise _error(path, option, f"broken gzip file: {error}; fetch the file again") from error


def _error(path: Path, option: str, message: str) -> DataError:
    return DataError(f"{option} {display_path(path)}: {message}")
