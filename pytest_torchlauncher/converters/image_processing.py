"""Images and the images that a model should make of them, told apart by a part of their names."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Annotated as Typed
from typing import Any, Literal

import numpy as np
from pydantic import BeforeValidator

from ..errors import DataError, display_path
from ..images import by_opencv, by_pillow
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Array, Color, Image, InFile
from ._files import checked_folder

__all__ = ["ImageProcessing"]

_COLORS: dict[str, Color] = {"RGB": "rgb", "RGBA": "rgb", "L": "gray"}


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


Loader = Typed[Literal["opencv", "pillow", "pillow_rgb", "skimage"], BeforeValidator(_lower)]


@register("image_processing")
@dataclass(frozen=True, kw_only=True)
class ImageProcessing(Converter):
    """Target images beside the input images: ``street_in.png`` is to become ``street_out.png``.

    The target of an image is found by replacing `input_suffix` wherever it occurs in the path; where there is no such
    file, but one after replacing only the last, it is that one. Targets are no inputs, whatever their names hold.

    Args:
        data_dir: the images; targets lie there, too, if the dataset has no ``additional_data_source``.
        input_suffix: what the name of an input holds, anywhere.
        target_suffix: what stands there in the name of its target; the same where an image is its own target.
        recursive: whether folders in `data_dir` count.
        annotation_loader: what reads a target: opencv in BGR; pillow in the mode of the file, which for a palette
            gives indices; pillow_rgb in RGB; or skimage in RGB or gray, with alpha.
    """

    data_dir: DataPath
    input_suffix: str = "in"
    target_suffix: str = "out"
    recursive: bool = False
    annotation_loader: Loader = "pillow"

    def __post_init__(self) -> None:
        """Check that inputs can be told.

        Raises:
            ValueError: the suffix is empty.
        """
        if not self.input_suffix:
            raise ValueError("input_suffix: '' found, a part of the inputs' names expected")

    def convert(self) -> Annotations:
        """Return the inputs sorted by path below `data_dir`, each with its target as an `Image`.

        Raises:
            MissingDataError: `data_dir` is not there.
            DataError: no input is found.
        """
        files = self._files()
        targets = {name: self._target(name, files) for name in sorted(files) if self._is_input(name)}
        of_others = {target for name, target in targets.items() if target != name}
        decode = _Target(self.annotation_loader)
        items = tuple(
            Annotated(name, InFile(target, decode, self.data_dir))
            for name, target in targets.items()
            if name not in of_others
        )
        if not items:
            raise DataError(
                f"no file with {self.input_suffix!r} in its name found in data_dir {display_path(self.data_dir)}; "
                "correct input_suffix"
            )
        return Annotations(items, root=self.data_dir)

    def _files(self) -> set[str]:
        folder = checked_folder(self.data_dir, "data_dir")
        paths = folder.rglob("*") if self.recursive else folder.iterdir()
        return {path.relative_to(folder).as_posix() for path in paths if path.is_file()}

    def _is_input(self, name: str) -> bool:
        return self.input_suffix in name.rpartition("/")[2]

    def _target(self, name: str, files: Set[str]) -> str:
        everywhere = name.replace(self.input_suffix, self.target_suffix)
        last = self.target_suffix.join(name.rsplit(self.input_suffix, 1))
        return last if everywhere not in files and last in files else everywhere


@dataclass(frozen=True)
class _Target:
    """Decodes a target image by `loader`."""

    loader: Loader

    def __call__(self, content: bytes) -> Image:
        if self.loader == "opencv":
            return Image(by_opencv(content, "COLOR"), "bgr")
        values, mode = by_pillow(content, "RGB" if self.loader == "pillow_rgb" else None)
        if self.loader == "skimage" and mode == "P":
            values, mode = by_pillow(content, "RGB")
        return Image(_of_8_bit(values if values.ndim == 3 else values[..., np.newaxis]), _COLORS.get(mode))


def _of_8_bit(values: Array) -> Array:
    """Return `values` from 0 to 255."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return values / np.float32(257)
    if values.dtype == bool:
        return values * np.uint8(255)
    raise ValueError(f"an image of {values.dtype} found, one of 8 or 16 bits expected")
