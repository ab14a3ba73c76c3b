"""Attributes of objects in the XML of the annotation tool CVAT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

import numpy as np

from ..errors import DataError, Position
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Array, Attributes, DatasetMeta, Region
from ._xml import read_xml

__all__ = ["CvatMultilabelAttributes"]


@register("cvat_multilabel_binary_attributes_recognition")
@dataclass(frozen=True, kw_only=True)
class CvatMultilabelAttributes(Converter):
    """What is true of each boxed object: an item a box, several of which may lie in one image.

    An attribute is true where its text is ``T``, false with any other text, and unknown where the box has it not.

    Args:
        annotation_file: XML with the attributes of each ``<label>``, and ``<image>`` elements with ``<box>``.
        label: the name of the label whose boxes count.
        images_dir: where the images lie, if the dataset has no ``data_source``; the folder of `annotation_file` by
            default.
    """

    annotation_file: DataPath
    label: str
    images_dir: DataPath | None = None

    def convert(self) -> Annotations:
        """Return the boxes in the order of the file, ``a.png#0`` the first one of the image ``a.png``.

        Raises:
            MissingDataError: the file is not there.
            DataError: it is no such XML, or lacks the label or an attribute.
        """
        document = read_xml(self.annotation_file, "annotation_file")
        names = self._names(document)
        indices = {name: index for index, name in enumerate(names)}
        items = tuple(item for image in document.iter("image") for item in self._items(image, indices))
        meta = DatasetMeta(dict(enumerate(names)))
        return Annotations(items, meta, self.images_dir or self.annotation_file.parent)

    def _names(self, document: Element) -> list[str]:
        """Return the names of the label's attributes in the order of the file."""
        labels = {label.findtext("name", ""): label for label in document.iterfind("meta//label")}
        if self.label not in labels:
            raise self._error(f"label {self.label!r} is not among its labels {', '.join(labels) or '(none)'}")
        names = [attribute.findtext("name", "") for attribute in labels[self.label].iter("attribute")]
        if not names:
            raise self._error(f"label {self.label!r} has no attributes, at least one expected")
        return names

    def _items(self, image: Element, indices: dict[str, int]) -> Iterator[Annotated]:
        name = PurePosixPath(image.get("name", "")).name
        if not name:
            raise self._error("an image without a name found; name its file")
        boxes = (box for box in image.iterfind("box") if box.get("label") == self.label)
        for number, box in enumerate(boxes):
            try:
                annotation, region = Attributes(_values(box, indices)), _region(box)
            except ValueError as error:
                raise self._error(f"image {name}: {error}") from None
            yield Annotated(f"{name}#{number}", annotation, file=name, region=region)

    def _error(self, message: str) -> DataError:
        return DataError(message, Position(self.annotation_file, 1, 1))


def _values(box: Element, indices: dict[str, int]) -> Array:
    values = np.full(len(indices), -1, dtype=np.int64)
    for attribute in box.iter("attribute"):
        name = attribute.get("name", "")
        if name not in indices:
            raise ValueError(f"attribute {name!r} found, one of the label's {', '.join(indices)} expected")
        values[indices[name]] = (attribute.text or "").strip() == "T"
    return values


def _region(box: Element) -> Region:
    texts = [box.get(side, "") for side in ("xtl", "ytl", "xbr", "ybr")]
    try:
        left, top, right, bottom = map(float, texts)
    except ValueError:
        raise ValueError(f"a box from {texts[:2]} to {texts[2:]} found, four numbers expected") from None
    return left, top, right, bottom
