"""ADE20K, the scene parsing benchmark."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Annotated as Constrained

from pydantic import Field

from ..errors import DataError, display_path
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, DatasetMeta, InFile
from ._files import checked_folder, read_text
from ._masks import DecodedMask

__all__ = ["ADE20K"]


@register("ade20k")
@dataclass(frozen=True, kw_only=True)
class ADE20K(Converter):
    """Scenes with one of 150 classes, or 0, for every pixel, Zhou et al., https://arxiv.org/abs/1608.05442.

    Args:
        images_dir: folder of the images, ``*.jpg``.
        annotations_dir: folder of the masks, ``*.png`` of the same names.
        object_categories_file: the classes, tab-separated with the columns Idx and Name.
        num_classes: how many indices count, from 0; all by default.
    """

    images_dir: DataPath
    annotations_dir: DataPath
    object_categories_file: DataPath
    num_classes: Constrained[int, Field(ge=2)] | None = None

    def convert(self) -> Annotations:
        """Return the images with their masks, sorted by name.

        Raises:
            MissingDataError: a folder or file is not there.
            DataError: a file of classes without these columns.
        """
        images = sorted(checked_folder(self.images_dir, "images_dir").glob("*.jpg"))
        root, decode = checked_folder(self.annotations_dir, "annotations_dir"), DecodedMask()
        items = [Annotated(image.name, InFile(f"{image.stem}.png", decode, root)) for image in images]
        return Annotations(items, DatasetMeta(self._label_map(), 0), self.images_dir)

    def _label_map(self) -> dict[int, str]:
        lines = read_text(self.object_categories_file, "object_categories_file").splitlines()
        try:
            names = {int(row["Idx"]): row["Name"] for row in csv.DictReader(lines, delimiter="\t")}
        except (KeyError, TypeError, ValueError):
            file = display_path(self.object_categories_file)
            raise DataError(
                f"object_categories_file {file}: the tab-separated columns Idx, numbers, and Name expected"
            ) from None
        counted = {index: name for index, name in names.items() if self.num_classes is None or index < self.num_classes}
        return {0: "background", **counted}
