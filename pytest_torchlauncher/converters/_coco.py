"""The JSON of COCO's annotations, grouped by image in one pass: https://cocodataset.org/#format-data."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from ..errors import DataError, Position, display_path
from ..types import Array, DatasetMeta, Size
from ._files import read_text
from ._meta import read_meta

__all__ = ["CocoFile", "CocoImage", "CocoObject", "SortKey", "boxes_of", "classes_of", "labels_of", "read_coco"]

EntryT = TypeVar("EntryT")
SortKey = Literal["image_id", "image_size"]

_VOC_LABELS = {
    1: 15, 2: 2, 3: 7, 4: 14, 5: 1, 6: 6, 7: 19, 9: 4, 16: 3, 17: 8, 18: 12, 19: 13, 20: 17, 21: 10, 44: 5, 62: 9,
    63: 18, 64: 16, 67: 11, 72: 20,
}  # fmt: skip
"""Categories of COCO that PASCAL VOC has as well, and their labels there."""

_EXPECTED = {
    "images": "id, file_name, height and width",
    "annotations": "image_id, category_id and bbox [x, y, width, height]",
    "categories": "id and name",
}


@dataclass(frozen=True, slots=True)
class CocoImage:
    """An image of the file; `size` is (H, W) px."""

    id: Any
    file_name: str
    size: Size


@dataclass(frozen=True, slots=True)
class CocoObject:
    """An annotated object.

    Args:
        category_id: the category's id in the file.
        bbox: x, y, width, height, px.
        area: px²; that of the box where the file gives none.
        iscrowd: whether it stands for many objects at once.
        segmentation: polygons or run lengths as they stand in the file, None where there are none.
        keypoints: x, y and visibility in turn, None where there are none.
        num_keypoints: how many of them are labelled.
    """

    category_id: int
    bbox: tuple[float, float, float, float]
    area: float
    iscrowd: bool
    segmentation: Any
    keypoints: tuple[float, ...] | None
    num_keypoints: int


@dataclass(frozen=True, slots=True)
class CocoFile:
    """What the file says: images and categories (id, name) in its order, objects by the id of their image."""

    images: tuple[CocoImage, ...]
    categories: tuple[tuple[int, str], ...]
    objects: Mapping[Any, tuple[CocoObject, ...]]

    def sorted_by(self, key: SortKey | None) -> tuple[CocoImage, ...]:
        """Return the images sorted by `key`; in the order of the file without one."""
        if key is None:
            return self.images
        return tuple(sorted(self.images, key=lambda image: image.size if key == "image_size" else image.id))


def read_coco(path: Path, option: str = "annotation_file") -> CocoFile:
    """Return what the COCO JSON `path` says, visiting every annotation once.

    ``area``, ``iscrowd``, ``segmentation`` and ``keypoints`` may be missing; annotations of images that the file does
    not list are left out, as in pycocotools.

    Raises:
        MissingDataError: it is not there.
        DataError: it is no such JSON.
    """
    try:
        content = json.loads(read_text(path, option))
    except json.JSONDecodeError as error:
        where = Position(path, error.lineno, error.colno)
        raise DataError(f"invalid JSON: {error.msg}; correct the file", where) from None
    try:
        images = _entries(content, "images", _image)
        objects = _by_image(images, _entries(content, "annotations", lambda entry: (entry["image_id"], _object(entry))))
        categories = _entries(content, "categories", lambda entry: (int(entry["id"]), str(entry["name"])))
        _check_unlike(categories)
    except ValueError as error:
        raise DataError(f"{option} {display_path(path)}: {error}") from None
    return CocoFile(images, categories, objects)


def _entries(content: Any, key: str, parse: Callable[[Any], EntryT]) -> tuple[EntryT, ...]:
    entries = content.get(key) if isinstance(content, Mapping) else None
    if not isinstance(entries, list):
        raise ValueError(f"no list {key!r} found, COCO's images, annotations and categories expected")
    parsed = []
    for index, entry in enumerate(entries):
        try:
            parsed.append(parse(entry))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            problem = f"no {error} found" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"{key}[{index}]: {problem}; {_EXPECTED[key]} expected") from None
    return tuple(parsed)


def _image(entry: Mapping[str, Any]) -> CocoImage:
    if not isinstance(entry["id"], int | str) or isinstance(entry["id"], bool):
        raise ValueError(f"id {entry['id']!r} found")
    return CocoImage(entry["id"], str(entry["file_name"]), (int(entry["height"]), int(entry["width"])))


def _object(entry: Mapping[str, Any]) -> CocoObject:
    x, y, width, height = map(float, entry["bbox"])
    if not all(map(math.isfinite, (x, y, width, height))) or min(width, height) < 0:
        raise ValueError(f"bbox {entry['bbox']} found")
    area = float(entry.get("area", width * height))
    keypoints = tuple(map(float, entry["keypoints"])) if entry.get("keypoints") else None
    if not all(map(math.isfinite, (area, *(keypoints or ())))):
        raise ValueError("an area or keypoint that is no finite number found")
    labelled = sum(visibility > 0 for visibility in (keypoints or ())[2::3])
    return CocoObject(
        int(entry["category_id"]),
        (x, y, width, height),
        area,
        bool(entry.get("iscrowd", 0)),
        entry.get("segmentation"),
        keypoints,
        int(entry.get("num_keypoints", labelled)),
    )


def _by_image(
    images: Sequence[CocoImage], annotations: Sequence[tuple[Any, CocoObject]]
) -> dict[Any, tuple[CocoObject, ...]]:
    if len({type(image.id) for image in images}) > 1:
        raise ValueError("ids of images found that are numbers and texts; make them all numbers")
    objects: dict[Any, list[CocoObject]] = {}
    for image in images:
        if image.id in objects:
            raise ValueError(f"two images of the id {image.id!r} found; give each its own")
        objects[image.id] = []
    for image_id, item in annotations:
        if image_id in objects:
            objects[image_id].append(item)
    if annotations and not any(objects.values()):
        raise ValueError(f"annotations of image_id {annotations[0][0]!r} found, of images that are listed expected")
    return {image_id: tuple(items) for image_id, items in objects.items()}


def _check_unlike(categories: Sequence[tuple[int, str]]) -> None:
    seen: dict[int, str] = {}
    for category, name in categories:
        if seen.setdefault(category, name) != name:
            raise ValueError(f"{seen[category]!r} and {name!r} of one category id {category} found; give each its own")


def classes_of(
    coco: CocoFile, meta_file: Path | None, *, full: bool, has_background: bool, voc: bool = False
) -> tuple[DatasetMeta, Mapping[int, int]]:
    """Return the classes, and the label of each category id.

    Args:
        coco: the file.
        meta_file: JSON with other classes; labels are then the category ids.
        full: whether labels are the category ids, else their positions.
        has_background: whether ``background`` is class 0, which moves positions up by one.
        voc: whether labels are those of PASCAL VOC instead, for the categories that it has.
    """
    names = dict(read_meta(meta_file, has_background).label_map) if meta_file else {}
    by_id = full or bool(names)
    names = names or dict(coco.categories)
    labels = {category: category if by_id else position for position, category in enumerate(names, int(has_background))}
    if voc:
        labels = {category: _VOC_LABELS[category] for category in names if category in _VOC_LABELS}
    label_map = {label: names[category] for category, label in labels.items()}
    if has_background:
        label_map[0] = "background"
    return DatasetMeta(label_map, 0 if has_background else None), labels


def labels_of(objects: Sequence[CocoObject], labels: Mapping[int, int]) -> Array:
    """Return the labels (N,) int64 of `objects`.

    Raises:
        DataError: the category of one has no label.
    """
    unknown = next((item.category_id for item in objects if item.category_id not in labels), None)
    if unknown is not None:
        known = ", ".join(map(str, labels))
        raise DataError(
            f"an object of category_id {unknown} found, one of the categories with a label expected: {known}"
        )
    return np.array([labels[item.category_id] for item in objects], dtype=np.int64)


def boxes_of(objects: Sequence[CocoObject]) -> Array:
    """Return the boxes (N, 4) float64 of `objects`, x and y of two corners."""
    boxes = np.array([item.bbox for item in objects], dtype=np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
