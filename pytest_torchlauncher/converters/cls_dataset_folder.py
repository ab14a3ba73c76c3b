"""A folder a class, images inside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, MissingDataError, display_path
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, DatasetMeta, Label

__all__ = ["ClassFolders"]


@register("cls_dataset_folder")
@dataclass(frozen=True, kw_only=True)
class ClassFolders(Converter):
    """Classification labels from folders named after their classes, sorted by name.

    Args:
        data_dir: holds the folders of the classes; their files count at any depth, unless hidden (``.name``).
    """

    data_dir: DataPath

    def convert(self) -> Annotations:
        """Return the files sorted by class and name, identified by their path below `data_dir`.

        Raises:
            MissingDataError: `data_dir` is not there.
            DataError: it holds no class folder, or no file in any.
        """
        classes = self._classes()
        items = tuple(
            Annotated(path.relative_to(self.data_dir).as_posix(), Label(index))
            for index, name in enumerate(classes)
            for path in sorted(_files(self.data_dir / name))
        )
        if not items:
            raise self._error(f"none of its {len(classes)} class folders holds a file")
        return Annotations(items, DatasetMeta(dict(enumerate(classes))), self.data_dir)

    def _classes(self) -> list[str]:
        if not self.data_dir.is_dir():
            raise MissingDataError(f"data_dir is not there: {display_path(self.data_dir)}")
        classes = sorted(path.name for path in self.data_dir.iterdir() if path.is_dir() and not _hidden(path.name))
        if not classes:
            raise self._error("no folder found in it, one a class expected")
        return classes

    def _error(self, message: str) -> DataError:
        return DataError(f"data_dir {display_path(self.data_dir)}: {message}")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below `folder` that are not hidden, through links to folders as torchvision's `ImageFolder`."""
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not _hidden(name)]
        yield from (Path(parent, name) for name in files if not _hidden(name))


def _hidden(name: str) -> bool:
    return name.startswith(".")
