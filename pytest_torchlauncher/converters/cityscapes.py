"""Cityscapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, DatasetMeta, InFile
from ._files import checked_folder
from ._masks import DecodedMask
from ._meta import read_meta

__all__ = ["Cityscapes"]

_TRAINED = {
    "road": (128, 64, 128), "sidewalk": (244, 35, 232), "building": (70, 70, 70), "wall": (102, 102, 156),
    "fence": (190, 153, 153), "pole": (153, 153, 153), "traffic light": (250, 170, 30), "traffic sign": (220, 220, 0),
    "vegetation": (107, 142, 35), "terrain": (152, 251, 152), "sky": (70, 130, 180), "person": (220, 20, 60),
    "rider": (255, 0, 0), "car": (0, 0, 142), "truck": (0, 0, 70), "bus": (0, 60, 100), "train": (0, 80, 100),
    "motorcycle": (0, 0, 230), "bicycle": (119, 11, 32), "background": (255, 255, 255),
}  # fmt: skip
"""Classes that are trained on, in the order of their train ids, and a background for the rest."""

_OTHERS = {
    "unlabeled": (0, 0, 0), "ego vehicle": (0, 0, 0), "rectification border": (0, 0, 0), "out of roi": (0, 0, 0),
    "static": (0, 0, 0), "dynamic": (111, 74, 0), "ground": (81, 0, 81), "parking": (250, 170, 160),
    "rail track": (230, 150, 140), "guard rail": (180, 165, 180), "bridge": (150, 100, 100), "tunnel": (150, 120, 90),
    "polegroup": (153, 153, 153), "caravan": (0, 0, 90), "trailer": (0, 0, 110),
}  # fmt: skip

_ALL = (
    "unlabeled,ego vehicle,rectification border,out of roi,static,dynamic,ground,road,sidewalk,parking,rail track,"
    "building,wall,fence,guard rail,bridge,tunnel,pole,polegroup,traffic light,traffic sign,vegetation,terrain,sky,"
    "person,rider,car,truck,bus,caravan,trailer,train,motorcycle,bicycle"
).split(",")
"""All classes in the order of their ids, https://github.com/mcordts/cityscapesScripts."""


@register("cityscapes")
@dataclass(frozen=True, kw_only=True)
class Cityscapes(Converter):
    """Street scenes with a class for every pixel, Cordts et al., https://arxiv.org/abs/1604.01685.

    Args:
        dataset_root_dir: the folder under which images and masks lie.
        images_subfolder: of the images, with a folder a city.
        masks_subfolder: of the masks, likewise.
        images_suffix: end of an image's name before ``.png``.
        masks_suffix: end of a mask's name before ``.png``.
        use_full_label_map: whether labels are the ids of all classes (0 to 33, -1), else the train ids (0 to 18).
        dataset_meta_file: JSON with the classes.
    """

    dataset_root_dir: DataPath
    images_subfolder: str = "imgsFine/leftImg8bit/val"
    masks_subfolder: str = "gtFine/val"
    images_suffix: str = "_leftImg8bit"
    masks_suffix: str = "_gtFine_labelTrainIds"
    use_full_label_map: bool = False
    dataset_meta_file: DataPath | None = None

    def convert(self) -> Annotations:
        """Return the images with their masks, sorted by city and name.

        Raises:
            MissingDataError: the folder or a file is not there.
            DataError: there are no such images in it.
        """
        root = checked_folder(self.dataset_root_dir, "dataset_root_dir")
        images = sorted((root / self.images_subfolder).glob(f"*/*{self.images_suffix}.png"))
        if not images:
            pattern = f"{self.images_subfolder}/*/*{self.images_suffix}.png"
            raise DataError(f"no image found in {root}; {pattern} expected")
        return Annotations([self._item(image) for image in images], self._classes(), root)

    def _item(self, image: Path) -> Annotated:
        city, name = image.parent.name, image.name.replace(f"{self.images_suffix}.png", f"{self.masks_suffix}.png")
        mask = InFile(f"{self.masks_subfolder}/{city}/{name}", DecodedMask(), self.dataset_root_dir)
        return Annotated(f"{self.images_subfolder}/{city}/{image.name}", mask)

    def _classes(self) -> DatasetMeta:
        if self.dataset_meta_file is not None:
            return read_meta(self.dataset_meta_file)
        if not self.use_full_label_map:
            return DatasetMeta(dict(enumerate(_TRAINED)), 19, tuple(_TRAINED.values()))
        colors: Mapping[str, tuple[int, int, int]] = {**_OTHERS, **_TRAINED}
        trained = {train_id: _ALL.index(name) for train_id, name in enumerate(_TRAINED) if name in _ALL}
        names = {**dict(enumerate(_ALL)), -1: "license plate"}
        return DatasetMeta(names, None, tuple(colors[name] for name in _ALL), trained)
