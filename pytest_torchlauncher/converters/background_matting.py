"""Images and alpha masks in two folders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DataError, display_path
from ..images import by_opencv
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, InFile, Matte
from ._files import checked_folder

__all__ = ["BackgroundMatting"]


@register("background_matting")
@dataclass(frozen=True, kw_only=True)
class BackgroundMatting(Converter):
    """Alpha masks whose names share a part with those of the images: ``image0001.jpeg`` and ``gt0001.png``.

    An image without a mask is an error; the Accuracy Checker leaves it out without a word.

    Args:
        images_dir: the images; those whose names begin and end as below count.
        masks_dir: the masks, if the dataset has no ``segmentation_masks_source`` and no ``additional_data_source``.
        image_prefix: how the name of an image begins.
        mask_prefix: how the name of a mask begins.
        image_postfix: how the name of an image ends.
        mask_postfix: how the name of a mask ends.
        mask_to_gray: whether masks in colour become gray.
    """

    images_dir: DataPath
    masks_dir: DataPath
    image_prefix: str = ""
    mask_prefix: str = ""
    image_postfix: str = ".png"
    mask_postfix: str = ".png"
    mask_to_gray: bool = False

    def convert(self) -> Annotations:
        """Return the images sorted by name, each with its mask as a `Matte`.

        Raises:
            MissingDataError: a folder is not there.
            DataError: no image is found, or one has no mask.
        """
        masks = self._masks()
        there = {path.name for path in checked_folder(self.masks_dir, "masks_dir").iterdir()}
        missing = [image for image, mask in masks.items() if mask not in there]
        if missing:
            raise DataError(
                f"{len(missing)} of {len(masks)} images have no mask in masks_dir {display_path(self.masks_dir)}, the "
                f"first is {missing[0]}, whose mask would be {masks[missing[0]]}; add the masks, or correct "
                "mask_prefix and mask_postfix"
            )
        decode = _Alpha(self.mask_to_gray)
        items = tuple(Annotated(image, InFile(mask, decode, self.masks_dir)) for image, mask in masks.items())
        return Annotations(items, root=self.images_dir)

    def _masks(self) -> dict[str, str]:
        """Return the name of each image's mask by the image's name."""
        folder = checked_folder(self.images_dir, "images_dir")
        masks = {name: self._mask(name) for name in sorted(path.name for path in folder.iterdir()) if self._fits(name)}
        if not masks:
            raise DataError(
                f"no {self.image_prefix}*{self.image_postfix} found in images_dir {display_path(folder)}; correct "
                "image_prefix or image_postfix"
            )
        if self.images_dir != self.masks_dir:
            return masks
        of_others = {mask for image, mask in masks.items() if mask != image}
        return {image: mask for image, mask in masks.items() if image not in of_others}

    def _fits(self, name: str) -> bool:
        return name.startswith(self.image_prefix) and name.removeprefix(self.image_prefix).endswith(self.image_postfix)

    def _mask(self, image: str) -> str:
        common = image.removeprefix(self.image_prefix).removesuffix(self.image_postfix)
        return f"{self.mask_prefix}{common}{self.mask_postfix}"


@dataclass(frozen=True)
class _Alpha:
    """Decodes a mask: its alpha channel if it has one, else its only channel; of 16 bits as of 8."""

    to_gray: bool

    def __call__(self, content: bytes) -> Matte:
        image = by_opencv(content, "GRAYSCALE" if self.to_gray else "UNCHANGED")
        if image.ndim == 3 and image.shape[2] == 4:
            image = image[..., 3]
        if image.ndim != 2:
            raise ValueError(
                f"an image of {image.shape[2]} channels found, a mask of one channel or with alpha expected; set "
                "mask_to_gray: true"
            )
        return Matte(image / 257 if image.dtype == np.uint16 else image)
