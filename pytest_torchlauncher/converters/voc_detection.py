"""Boxes of PASCAL VOC."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ..errors import DataError, display_path
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Boxes, DatasetMeta
from ._files import read_lines
from ._meta import named_classes, read_meta
from ._xml import read_xml

__all__ = ["VOCDetection"]

_NAMES = (
    "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep "
    "sofa train tvmonitor"
).split()

_SIDES = ("xmin", "ymin", "xmax", "ymax")


@register("voc_detection")
@dataclass(frozen=True, kw_only=True)
class VOCDetection(Converter):
    """Boxes of the objects of each image, http://host.robots.ox.ac.uk/pascal/VOC/.

    Coordinates count from 1 in the files and from 0 here.

    Args:
        imageset_file: names of the images, one a line, without suffix.
        annotations_dir: folder with an XML file for each name.
        images_dir: folder of the images; ``JPEGImages`` beside the folder of the image sets by default.
        has_background: whether the background is class 0, which moves the others up by one.
        dataset_meta_file: JSON with the classes; the twenty of PASCAL VOC by default.
    """

    imageset_file: DataPath
    annotations_dir: DataPath
    images_dir: DataPath | None = None
    has_background: bool = True
    dataset_meta_file: DataPath | None = None

    def convert(self) -> Annotations:
        """Return the boxes of each image in the order of the image set.

        Raises:
            MissingDataError: a file is not there.
            DataError: it is no such file, or names a class that is not known.
        """
        meta = self._classes()
        labels = {name: label for label, name in meta.label_map.items()}
        names = [line.split()[0] for line in read_lines(self.imageset_file, "imageset_file") if line]
        root = self.images_dir or self.imageset_file.parent.parent.parent / "JPEGImages"
        return Annotations([self._item(name, labels) for name in names], meta, root)

    def _classes(self) -> DatasetMeta:
        given = read_meta(self.dataset_meta_file, self.has_background) if self.dataset_meta_file else DatasetMeta()
        classes = given if given.label_map else named_classes(_NAMES, self.has_background)
        return DatasetMeta(classes.label_map, 0 if self.has_background else None)

    def _item(self, name: str, labels: dict[str, int]) -> Annotated:
        path = self.annotations_dir / f"{name}.xml"
        root = read_xml(path, "annotations_dir")
        objects = [node for node in root if node.tag.startswith("object")]
        boxes = [[_number(path, node, f"bndbox/{side}") - 1 for side in _SIDES] for node in objects]
        difficult = [node.findtext("difficult", "0").strip() == "1" for node in objects]
        found = [node.findtext("name", "").strip() for node in objects]
        unknown = next((label for label in found if label not in labels), None)
        if unknown is not None:
            known = ", ".join(labels)
            raise DataError(f"{display_path(path)}: class {unknown!r} found, one of {known} expected")
        annotation = Boxes(
            np.array(boxes, dtype=np.float64).reshape(-1, 4),
            np.array([labels[label] for label in found], dtype=np.int64),
            difficult=np.array(difficult, dtype=bool),
        )
        return Annotated((root.findtext(".//filename") or f"{name}.jpg").strip(), annotation)


def _number(path: Path, node: ElementTree.Element, tag: str) -> float:
    text = node.findtext(tag)
    try:
        number = float(text or "")
        if not math.isfinite(number):
            raise ValueError(text)
        return number
    except ValueError:
        raise DataError(f"{display_path(path)}: {tag}: {text!r} found, a number expected") from None
