"""Faces of WIDER FACE."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, Position
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Boxes, DatasetMeta
from ._files import read_lines
from ._meta import read_meta

__all__ = ["Wider"]

_BACKGROUND = "__background__"


@register("wider")
@dataclass(frozen=True, kw_only=True)
class Wider(Converter):
    """Boxes of faces, http://shuoyang1213.me/WIDERFACE/: lines of an image, a count, and that many boxes.

    Args:
        annotation_file: the text file; of a box x, y, width and height count, its attributes do not.
        label_start: the label of a face, where `dataset_meta_file` does not say it.
        images_dir: where the images lie, if the dataset has no ``data_source``.
        dataset_meta_file: JSON with the classes, of which the first that is not the background is the face; those of
            a list count from `label_start`.
    """

    annotation_file: DataPath
    label_start: int = 1
    images_dir: DataPath | None = None
    dataset_meta_file: DataPath | None = None

    def convert(self) -> Annotations:
        """Return the boxes of each image in the order of the file.

        Raises:
            MissingDataError: a file is not there.
            DataError: it is no such file, or names no face.
        """
        lines = read_lines(self.annotation_file, "annotation_file")
        meta = self._classes()
        label = self._face(meta)
        starts = [number for number, line in enumerate(lines) if ".jpg" in line]
        items = [Annotated(lines[start], self._boxes(lines, start, label)) for start in starts]
        return Annotations(items, meta, self.images_dir)

    def _classes(self) -> DatasetMeta:
        background = {0: _BACKGROUND} if self.label_start else {}
        given = read_meta(self.dataset_meta_file, self.label_start) if self.dataset_meta_file else DatasetMeta()
        if given.label_map:
            return given
        return DatasetMeta({**background, self.label_start: "face"}, 0 if background else None)

    def _face(self, meta: DatasetMeta) -> int:
        other = {meta.background_label} | {
            label for label, name in meta.label_map.items() if name in ("background", _BACKGROUND)
        }
        faces = meta.label_map.keys() - other
        if not faces:
            raise DataError("no class but the background found in dataset_meta_file; name that of the faces there")
        return min(faces)

    def _boxes(self, lines: Sequence[str], start: int, label: int) -> Boxes:
        count = self._count(lines, start + 1)
        boxes = np.array([self._box(lines, start + 2 + face) for face in range(count)], dtype=np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        return Boxes(boxes, np.full(count, label, dtype=np.int64))

    def _count(self, lines: Sequence[str], number: int) -> int:
        text = lines[number] if number < len(lines) else ""
        if not (text.isascii() and text.isdecimal()):
            raise self._error(number, f"{text!r} found, the number of faces expected")
        return int(text)

    def _box(self, lines: Sequence[str], number: int) -> list[float]:
        text = lines[number] if number < len(lines) else ""
        try:
            x, y, width, height = map(float, text.split()[:4])
            if not math.isfinite(x + y + width + height):
                raise ValueError(text)
        except ValueError:
            raise self._error(number, f"{text!r} found, x, y, width and height of a face expected") from None
        return [x, y, width, height]

    def _error(self, number: int, message: str) -> DataError:
        return DataError(message, Position(self.annotation_file, number + 1, 1))
