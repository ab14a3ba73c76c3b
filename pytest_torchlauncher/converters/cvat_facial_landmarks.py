"""Landmarks of faces in the XML of the annotation tool CVAT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree import ElementTree

import numpy as np

from ..errors import DataError, Position
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Array, Landmarks
from ._files import read_bytes

__all__ = ["CvatFacialLandmarks"]

_EYES = ((1, 0), (2, 3))


@register("cvat_facial_landmarks")
@dataclass(frozen=True, kw_only=True)
class CvatFacialLandmarks(Converter):
    """The landmarks of one face an image, of which the labels are their indices.

    Landmarks 0 and 1 are the corners of the left eye, 2 and 3 those of the right one.

    Args:
        annotation_file: XML with ``<label>`` elements, one a landmark, and ``<image>`` elements with ``<points>``.
        images_dir: where the images lie, if the dataset has no ``data_source``; the folder of `annotation_file` by
            default.
    """

    annotation_file: DataPath
    images_dir: DataPath | None = None

    def convert(self) -> Annotations:
        """Return the images in the order of the file, each under the last part of its name.

        Raises:
            MissingDataError: the file is not there.
            DataError: it is no such XML, or an image lacks a landmark.
        """
        document = self._document()
        count = sum(1 for meta in document.iterfind("meta") for _ in meta.iter("label"))
        items = tuple(self._item(image, count) for image in document.iter("image"))
        return Annotations(items, root=self.images_dir or self.annotation_file.parent)

    def _document(self) -> ElementTree.Element:
        try:
            return ElementTree.fromstring(read_bytes(self.annotation_file, "annotation_file"))
        except ElementTree.ParseError as error:
            line, column = error.position
            raise DataError(
                f"invalid XML: {error}; correct the file", Position(self.annotation_file, line, column + 1)
            ) from None

    def _item(self, image: ElementTree.Element, count: int) -> Annotated:
        name = PurePosixPath(image.get("name", "")).name
        if not name:
            raise self._error("an image without a name found; name its file")
        points = [(point.get("label", ""), point.get("points", "")) for point in image.iterfind("points")]
        try:
            landmarks = _ordered(points, count)
        except ValueError as error:
            raise self._error(f"image {name}: {error}") from None
        return Annotated(name, Landmarks(landmarks, eyes=_EYES if count >= 4 else ((), ())))

    def _error(self, message: str) -> DataError:
        return DataError(message, Position(self.annotation_file, 1, 1))


def _ordered(points: list[tuple[str, str]], count: int) -> Array:
    """Return the coordinates (K, 2) of `points`, pairs of label and ``x,y``, in the order of their labels."""
    landmarks = {label: _coordinates(text) for label, text in points}
    labels = [str(index) for index in range(count)]
    if sorted(label for label, _ in points) != sorted(labels):
        raise ValueError(
            f"points labelled {', '.join(label for label, _ in points) or 'nothing'} found, one for each of the "
            f"{count} labels 0 to {count - 1} expected"
        )
    return np.array([landmarks[label] for label in labels], dtype=np.float64).reshape(-1, 2)


def _coordinates(text: str) -> tuple[float, float]:
    try:
        x, y = map(float, text.split(","))
    except ValueError:
        raise ValueError(f"points {text!r} found, one point 'x,y' expected") from None
    return x, y
