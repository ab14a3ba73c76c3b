"""Boxes in the text files that YOLO is trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, MissingDataError, Position, display_path
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Boxes, DatasetMeta, Size
from ._files import read_lines

__all__ = ["YoloLabeling"]


_ORIENTATION = 0x0112
_MOST_CLASSES = 1 << 20
"""What stands for more is a mistake, and would fill the memory with names."""


@register("yolo_labeling")
@dataclass(frozen=True, kw_only=True)
class YoloLabeling(Converter):
    """A text file an image with a line an object: class, and centre x, y, width, height as parts of the image.

    A photo that its EXIF orientation turns by a quarter is as wide as it is shown, as `opencv_imread` gives it.

    Args:
        annotations_dir: folder of the text files, beside which ``classes.txt`` may lie, as labelling tools put it.
        images_dir: folder of the images, whose sizes are needed; ``images`` beside `annotations_dir` or that folder
            itself by default.
        labels_file: names of the classes, one a line; their indices by default.
        images_suffix: of the images.
    """

    annotations_dir: DataPath
    images_dir: DataPath | None = None
    labels_file: DataPath | None = None
    images_suffix: str = ".jpg"

    def convert(self) -> Annotations:
        """Return the boxes of each image, sorted by name.

        Raises:
            MissingDataError: a file or folder is not there.
            DataError: a line is no object.
        """
        if not self.annotations_dir.is_dir():
            raise MissingDataError(f"annotations_dir is not there: {display_path(self.annotations_dir)}")
        root = self._images()
        items = []
        for path in sorted(self.annotations_dir.glob("*.txt")):
            if path.name == "classes.txt":
                continue
            name = path.stem + self.images_suffix
            items.append(Annotated(name, _boxes(path, _size(root / name))))
        return Annotations(items, DatasetMeta(self._label_map(items)), root)

    def _images(self) -> Path:
        if self.images_dir is not None:
            return self.images_dir
        beside = self.annotations_dir.parent / "images"
        return beside if beside.is_dir() else self.annotations_dir

    def _label_map(self, items: list[Annotated]) -> dict[int, str]:
        if self.labels_file is not None:
            return dict(enumerate(line for line in read_lines(self.labels_file, "labels_file") if line))
        labels = [label for item in items if isinstance(item.annotation, Boxes) for label in item.annotation.labels]
        return {label: str(label) for label in range(int(max(labels, default=-1)) + 1)}


def _boxes(path: Path, size: Size) -> Boxes:
    lines = enumerate(read_lines(path, "annotations_dir"), 1)
    rows = [_row(path, number, line) for number, line in lines if line]
    values = np.array(rows, dtype=np.float64).reshape(-1, 5)
    centers, halves = values[:, 1:3], values[:, 3:5] / 2
    height, width = size
    boxes = np.concatenate([centers - halves, centers + halves], axis=1) * (width, height, width, height)
    return Boxes(boxes, values[:, 0].astype(np.int64))


def _row(path: Path, number: int, line: str) -> list[float]:
    try:
        label, *box = line.split()
        numbers = [int(label), *map(float, box)]
        if len(numbers) != 5 or not all(map(math.isfinite, numbers)) or not 0 <= numbers[0] < _MOST_CLASSES:
            raise ValueError(line)
        return numbers
    except ValueError:
        message = f"{line!r} found, a class index, x, y, width and height expected"
        raise DataError(message, Position(path, number, 1)) from None


def _size(path: Path) -> Size:
    """Return height and width of the image `path`, of which only the head is read."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            turned = image.getexif().get(_ORIENTATION, 1) >= 5
            return (image.width, image.height) if turned else (image.height, image.width)
    except FileNotFoundError:
        raise MissingDataError(f"image {display_path(path)} is not there; set images_dir and images_suffix") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{display_path(path)} cannot be read as an image, whose size is needed: {error}") from None
