"""Images and masks in two folders."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import DataError, display_path
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, DatasetMeta, InFile
from ._files import checked_folder
from ._masks import DecodedMask, MaskLoader
from ._meta import read_meta

__all__ = ["CommonSemanticSegmentation"]


@register("common_semantic_segmentation")
@dataclass(frozen=True, kw_only=True)
class CommonSemanticSegmentation(Converter):
    """An image and a mask whose names are alike but for what stands before and after.

    Args:
        images_dir: folder of the images.
        masks_dir: folder of the masks.
        image_prefix: what an image's name begins with.
        image_postfix: what it ends with.
        mask_prefix: what a mask's name begins with.
        mask_postfix: what it ends with.
        mask_loader: pillow (a palette's indices), pillow_convert_to_rgb, opencv (colours in BGR), opencv_unchanged,
            opencv_gray, scipy (as pillow) or numpy.
        dataset_meta_file: JSON with the classes, and their colours where masks are coloured.
    """

    images_dir: DataPath
    masks_dir: DataPath
    image_prefix: str = ""
    image_postfix: str = ".png"
    mask_prefix: str = ""
    mask_postfix: str = ".png"
    mask_loader: MaskLoader = "pillow"
    dataset_meta_file: DataPath | None = None

    def convert(self) -> Annotations:
        """Return the images with their masks, sorted by name.

        Raises:
            MissingDataError: a folder or file is not there.
            DataError: an image has no mask.
        """
        images = sorted(checked_folder(self.images_dir, "images_dir").glob(f"{self.image_prefix}*{self.image_postfix}"))
        masks = {path.name for path in checked_folder(self.masks_dir, "masks_dir").iterdir()}
        pairs = [(image.name, self._mask(image.name)) for image in images]
        missing = [image for image, mask in pairs if mask not in masks]
        if missing:
            raise DataError(
                f"{len(missing)} of {len(pairs)} images have no mask in {display_path(self.masks_dir)}, "
                f"the first is {missing[0]}; {self._mask(missing[0])} expected"
            )
        meta = read_meta(self.dataset_meta_file) if self.dataset_meta_file else DatasetMeta()
        decode = DecodedMask(self.mask_loader)
        items = [Annotated(image, InFile(mask, decode, self.masks_dir)) for image, mask in pairs]
        return Annotations(items, meta, self.images_dir)

    def _mask(self, image: str) -> str:
        base = image[len(self.image_prefix) : len(image) - len(self.image_postfix)]
        return f"{self.mask_prefix}{base}{self.mask_postfix}"
