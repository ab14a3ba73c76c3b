"""Keypoints of COCO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, DatasetMeta, Keypoints
from ._coco import CocoObject, SortKey, boxes_of, labels_of, read_coco
from ._meta import read_meta

__all__ = ["MSCocoKeypoints"]


@register("mscoco_keypoints")
@dataclass(frozen=True, kw_only=True)
class MSCocoKeypoints(Converter):
    """Keypoints of the people of each image, https://cocodataset.org/#format-data; labels are the category ids.

    People without a labelled point are difficult.

    Args:
        annotation_file: COCO's JSON.
        sort_annotations: whether images are sorted by `sort_key`.
        sort_key: image_id or image_size.
        remove_empty_images: whether images without people are left out.
        images_dir: where the images lie, if the dataset has no ``data_source``.
        dataset_meta_file: JSON with the classes.
    """

    annotation_file: DataPath
    sort_annotations: bool = True
    sort_key: SortKey = "image_id"
    remove_empty_images: bool = False
    images_dir: DataPath | None = None
    dataset_meta_file: DataPath | None = None

    def convert(self) -> Annotations:
        """Return the keypoints of each image.

        Raises:
            MissingDataError: a file is not there.
            DataError: it is no such JSON, or an object has a category that is not listed.
        """
        coco = read_coco(self.annotation_file)
        given = read_meta(self.dataset_meta_file) if self.dataset_meta_file else DatasetMeta()
        names = given.label_map or dict(coco.categories)
        labels = {category: category for category, _ in coco.categories}
        items = []
        for image in coco.sorted_by(self.sort_key if self.sort_annotations else None):
            objects = coco.objects[image.id]
            if objects or not self.remove_empty_images:
                items.append(Annotated(image.file_name, _keypoints(image.file_name, objects, labels)))
        return Annotations(items, DatasetMeta(names), self.images_dir)


def _keypoints(name: str, objects: Sequence[CocoObject], labels: dict[int, int]) -> Keypoints:
    counts = {len(item.keypoints or ()) for item in objects}
    if len(counts) > 1 or any(count % 3 for count in counts):
        found = sorted(counts)
        raise DataError(f"{name}: keypoints of {found} numbers found, x, y and visibility of as many points expected")
    count = next(iter(counts), 0) // 3
    points = np.array([item.keypoints or () for item in objects], dtype=np.float64).reshape(len(objects), count, 3)
    visibility = points[..., 2].astype(np.int64)
    return Keypoints(
        points[..., :2],
        visibility,
        labels_of(objects, labels),
        boxes_of(objects),
        areas=np.array([item.area for item in objects], dtype=np.float64),
        difficult=(visibility > 0).sum(axis=1) == 0,
        crowd=np.array([item.iscrowd for item in objects], dtype=bool),
    )
