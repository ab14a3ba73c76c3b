"""Text files with an image and its class a line, as ImageNet's ``val.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from ..errors import DataError, Position
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, DatasetMeta, Label
from ._files import read_lines
from ._meta import named_classes, read_meta

__all__ = ["ImageNet"]


@register("imagenet")
@dataclass(frozen=True, kw_only=True)
class ImageNet(Converter):
    """Classification labels from lines ``name label``.

    The label is the last word of a line, so names may hold spaces. Of a name only the part after the last ``/`` and
    the last ``@`` counts: the images lie side by side in one folder.

    Args:
        annotation_file: the lines; blank ones are skipped.
        labels_file: a class a line, its name after the first space (``n01440764 tench``).
        has_background: whether the model has a background class 0, which moves all labels up by one.
        images_dir: where the images lie, if the dataset has no ``data_source``.
        dataset_meta_file: JSON with the classes, where there is no `labels_file`.
    """

    annotation_file: DataPath
    labels_file: DataPath | None = None
    has_background: bool = False
    images_dir: DataPath | None = None
    dataset_meta_file: DataPath | None = None

    def convert(self) -> Annotations:
        """Return the lines in the order of the file.

        Raises:
            MissingDataError: a file is not there.
            DataError: a line is not ``name label``, or two names mean the same file.
        """
        names: dict[str, str] = {}
        items = []
        for number, line in enumerate(read_lines(self.annotation_file, "annotation_file"), start=1):
            if line:
                name, item = self._item(line, number)
                if names.setdefault(item.identifier, name) != name:
                    raise self._error(
                        number, f"{name} and {names[item.identifier]} are both read as {item.identifier}: rename one"
                    )
                items.append(item)
        return Annotations(tuple(items), self._meta(), self.images_dir)

    def _item(self, line: str, number: int) -> tuple[str, Annotated]:
        name, label = line.rsplit(maxsplit=1) if len(line.split()) > 1 else ("", line)
        identifier = PurePosixPath(name).name.rpartition("@")[2]
        if not identifier or not (label.isascii() and label.isdecimal()):
            raise self._error(number, f"{line!r} found, 'name label' with a class index from 0 expected")
        return name, Annotated(identifier, Label(int(label) + self.has_background))

    def _meta(self) -> DatasetMeta:
        if self.labels_file is not None:
            lines = read_lines(self.labels_file, "labels_file")
            return named_classes([line.partition(" ")[2] or line for line in lines], self.has_background)
        if self.dataset_meta_file is not None:
            return read_meta(self.dataset_meta_file, self.has_background)
        return named_classes([], self.has_background)

    def _error(self, line: int, message: str) -> DataError:
        return DataError(message, Position(self.annotation_file, line, 1))
