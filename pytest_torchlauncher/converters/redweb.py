"""ReDWeb: images and relative depth maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, Position, display_path
from ..images import by_opencv
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, DepthMap, InFile
from ._files import checked_folder, read_lines

__all__ = ["ReDWeb"]


@register("redweb")
@dataclass(frozen=True, kw_only=True)
class ReDWeb(Converter):
    """Relative depth maps of the images that a list names, or of all images of ``imgs`` with maps in ``RD``.

    A map is a gray image: the value 255 means that nobody knows the depth, any other v becomes 1 - v / 255. The
    dataset: Xian et al., Monocular relative depth perception with web stereo data supervision, CVPR 2018.

    Args:
        data_dir: the dataset; by default the folder of `annotation_file`.
        annotation_file: lines ``image map``, both relative to `data_dir`; without it ``imgs/a.jpg`` has the map
            ``RD/a.png``.
    """

    data_dir: DataPath | None = None
    annotation_file: DataPath | None = None

    def __post_init__(self) -> None:
        """Check that there is something to read.

        Raises:
            ValueError: neither option is given.
        """
        if self.data_dir is None and self.annotation_file is None:
            raise ValueError("neither data_dir nor annotation_file found, at least one expected")

    def convert(self) -> Annotations:
        """Return the lines in the order of the file, or the images sorted by name, each with a `DepthMap`.

        Raises:
            MissingDataError: file or folder is not there.
            DataError: a line is not ``image map``, or there is no image.
        """
        root = self.data_dir or Path(self.annotation_file or "").parent
        pairs = _listed(self.annotation_file) if self.annotation_file else _found(root)
        return Annotations(tuple(Annotated(image, InFile(depth, _decode, root)) for image, depth in pairs), root=root)


def _listed(file: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(read_lines(file, "annotation_file"), start=1):
        if not line:
            continue
        paths = line.split()
        if len(paths) != 2:
            raise DataError(f"{line!r} found, 'image map' with two paths expected", Position(file, number, 1))
        yield paths[0], paths[1]


def _found(root: Path) -> Iterator[tuple[str, str]]:
    folder = checked_folder(root / "imgs", "the folder imgs of data_dir")
    images = sorted(path.stem for path in folder.iterdir() if path.suffix == ".jpg")
    if not images:
        raise DataError(f"no *.jpg found in {display_path(folder)}; correct data_dir or give annotation_file")
    yield from ((f"imgs/{name}.jpg", f"RD/{name}.png") for name in images)


def _decode(content: bytes) -> DepthMap:
    image = by_opencv(content, "UNCHANGED")
    if image.ndim != 2 or image.dtype != np.uint8:
        raise ValueError(f"an image {image.shape} of {image.dtype} found, a gray image (H, W) of 8 bits expected")
    return DepthMap(1 - image / 255, valid=image != 255)
