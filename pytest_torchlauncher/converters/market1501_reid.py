"""Persons seen by several cameras, as in Market-1501."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, MissingDataError, display_path
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Identity

__all__ = ["Market1501"]

_GALLERY, _QUERIES = "bounding_box_test", "query"
_JUNK = -1
_NAME = re.compile(r"(-?\d+)_c(\d)")


@register("market1501_reid")
@dataclass(frozen=True, kw_only=True)
class Market1501(Converter):
    """Who is on each image of the test set of Market-1501, by the names of its files.

    ``0002_c1s1_000451_03.jpg`` is person 2 seen by camera 1. Person -1 is junk, which nobody evaluates; person 0 are
    distractors, which stay in the gallery. Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015.

    Args:
        data_dir: holds the folders ``bounding_box_test``, the gallery, and ``query``.
    """

    data_dir: DataPath

    def convert(self) -> Annotations:
        """Return the gallery, then the queries, each from the last name to the first; cameras count from 0.

        Raises:
            MissingDataError: a folder is not there.
            DataError: a name tells no person and camera, or a folder has no image of a person.
        """
        items = (*self._items(_GALLERY), *self._items(_QUERIES))
        return Annotations(items, root=self.data_dir)

    def _items(self, folder: str) -> list[Annotated]:
        path = self.data_dir / folder
        if not path.is_dir():
            raise MissingDataError(f"the folder {folder} of data_dir is not there: {display_path(path)}")
        # From the last to the first, since draws of subsets depend on the order.
        files = sorted((file.name for file in path.glob("*.jpg")), reverse=True)
        identities = {name: _identity(path, name) for name in files}
        items = [Annotated(f"{folder}/{name}", who) for name, who in identities.items() if who.person != _JUNK]
        if not items:
            raise DataError(f"no image NNNN_cN….jpg of a person found in {display_path(path)}, at least one expected")
        return items


def _identity(folder: Path, name: str) -> Identity:
    match = _NAME.search(name)
    if match is None:
        raise DataError(
            f"{display_path(folder / name)} found, a name expected that begins with person and camera, as "
            "0002_c1s1_000451_03.jpg; rename or remove it"
        )
    person, camera = map(int, match.groups())
    return Identity(person, camera - 1, folder.name == _QUERIES)
