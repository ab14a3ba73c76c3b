"""Boxes of COCO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..kinds import Converter
from ..options import Compat
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Boxes
from ._coco import CocoObject, SortKey, boxes_of, classes_of, labels_of, read_coco

__all__ = ["MSCocoDetection"]


@register("mscoco_detection")
@dataclass(frozen=True, kw_only=True)
class MSCocoDetection(Converter):
    """Boxes of the objects of each image, https://cocodataset.org/#format-data.

    Args:
        annotation_file: COCO's JSON; ``segmentation``, ``area`` and ``iscrowd`` may be left out of it.
        has_background: whether the model has a background class 0, which moves positions up by one.
        use_full_label_map: whether labels are the category ids (1 to 90), else their positions (0 to 79).
        sort_annotations: whether images are sorted by `sort_key`.
        sort_key: image_id or image_size.
        images_dir: where the images lie, if the dataset has no ``data_source``.
        dataset_meta_file: JSON with the classes; labels are then the category ids.
        convert_COCO_to_VOC_labels: whether labels are those of PASCAL VOC (1 to 20), whose classes all objects
            must have.
        compat: ``accuracy_checker``: images without objects are left out, so that nothing found in them counts.
    """

    annotation_file: DataPath
    has_background: bool = False
    use_full_label_map: bool = False
    sort_annotations: bool = True
    sort_key: SortKey = "image_id"
    images_dir: DataPath | None = None
    dataset_meta_file: DataPath | None = None
    convert_COCO_to_VOC_labels: bool = False  # the format's name
    compat: Compat = None

    def convert(self) -> Annotations:
        """Return the boxes of each image.

        Raises:
            MissingDataError: a file is not there.
            DataError: it is no such JSON, or an object is of a category without a label.
        """
        coco = read_coco(self.annotation_file)
        meta, labels = classes_of(
            coco,
            self.dataset_meta_file,
            full=self.use_full_label_map,
            has_background=self.has_background,
            voc=self.convert_COCO_to_VOC_labels,
        )
        images = coco.sorted_by(self.sort_key if self.sort_annotations else None)
        items = [
            Annotated(image.file_name, _boxes(coco.objects[image.id], labels))
            for image in images
            if coco.objects[image.id] or not self.compat
        ]
        return Annotations(items, meta, self.images_dir)


def _boxes(objects: Sequence[CocoObject], labels: Mapping[int, int]) -> Boxes:
    return Boxes(
        boxes_of(objects),
        labels_of(objects, labels),
        crowd=np.array([item.iscrowd for item in objects], dtype=bool),
        areas=np.array([item.area for item in objects], dtype=np.float64),
    )
