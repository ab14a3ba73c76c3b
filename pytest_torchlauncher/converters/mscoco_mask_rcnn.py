"""Boxes and instance masks of COCO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import rle
from ..errors import DataError
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Array, Boxes, InstanceMasks, Named
from ._coco import CocoImage, CocoObject, SortKey, boxes_of, classes_of, labels_of, read_coco

__all__ = ["MSCocoMaskRCNN"]


@register("mscoco_mask_rcnn")
@dataclass(frozen=True, kw_only=True)
class MSCocoMaskRCNN(Converter):
    """Boxes and masks of the objects of each image, https://cocodataset.org/#format-data.

    They are called ``detection_annotation`` and ``segmentation_annotation``.

    Args:
        annotation_file: COCO's JSON.
        has_background: whether the model has a background class 0, which moves positions up by one.
        use_full_label_map: whether labels are the category ids (1 to 90), else their positions (0 to 79).
        sort_annotations: whether images are sorted by `sort_key`.
        sort_key: image_id or image_size.
        images_dir: where the images lie, if the dataset has no ``data_source``.
        dataset_meta_file: JSON with the classes; labels are then the category ids.
        convert_COCO_to_VOC_labels: whether labels are those of PASCAL VOC (1 to 20), whose classes all objects
            must have.
    """

    annotation_file: DataPath
    has_background: bool = False
    use_full_label_map: bool = False
    sort_annotations: bool = True
    sort_key: SortKey = "image_id"
    images_dir: DataPath | None = None
    dataset_meta_file: DataPath | None = None
    convert_COCO_to_VOC_labels: bool = False  # the format's name

    def convert(self) -> Annotations:
        """Return boxes and masks of each image.

        Raises:
            MissingDataError: a file is not there.
            DataError: it is no such JSON, an object has no mask, or a category that is not listed.
            MissingExtraError: faster-coco-eval is not installed.
        """
        coco = read_coco(self.annotation_file)
        meta, labels = classes_of(
            coco,
            self.dataset_meta_file,
            full=self.use_full_label_map,
            has_background=self.has_background,
            voc=self.convert_COCO_to_VOC_labels,
        )
        items = []
        for image in coco.sorted_by(self.sort_key if self.sort_annotations else None):
            objects = coco.objects[image.id]
            items.append(Annotated(image.file_name, _parts(image, objects, labels_of(objects, labels))))
        return Annotations(items, meta, self.images_dir)


def _parts(image: CocoImage, objects: Sequence[CocoObject], labels: Array) -> Named:
    boxes = boxes_of(objects)
    crowd = np.array([item.iscrowd for item in objects], dtype=bool)
    areas = np.array([item.area for item in objects], dtype=np.float64)
    try:
        masks = tuple(rle.from_coco(item.segmentation, image.size) for item in objects)
    except ValueError as error:
        raise DataError(f"{image.file_name}: {error}") from None
    return Named(
        {
            "detection_annotation": Boxes(boxes, labels, crowd=crowd, areas=areas),
            "segmentation_annotation": InstanceMasks(masks, labels, boxes, crowd=crowd, areas=areas),
        }
    )
