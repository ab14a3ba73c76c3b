"""From the target that a dataset fixture gives to the annotation that the metrics measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

import numpy as np

from ..types import (
    Annotation,
    Array,
    Attributes,
    Boxes,
    DepthMap,
    Image,
    InstanceMasks,
    Keypoints,
    Label,
    Landmarks,
    Mask,
    Matte,
    Named,
    Text,
    Values,
)

__all__ = ["annotation_of"]

_OBJECT_KEYS = ("boxes", "labels", "masks", "keypoints", "iscrowd", "area", "image_id")


_EXPECTED: Mapping[type, str] = {
    Label: "a class index (int)",
    Values: "a number or array of them",
    Text: "text",
    Boxes: "a mapping of boxes and labels",
    InstanceMasks: "a mapping of boxes, labels and masks",
    Keypoints: "a mapping of boxes, labels and keypoints",
    Mask: "an array (H, W) of class indices",
    Matte: "an array (H, W)",
    DepthMap: "an array (H, W)",
    Image: "an image (H, W, C)",
    Attributes: "an array (K,) of 0 and 1",
    Landmarks: "an array (K, 2)",
}


def annotation_of(target: Any, takes: Sequence[type]) -> Annotation:
    """Return what `target` says, for metrics whose annotations are of the classes `takes`.

    Args:
        target: an annotation; a whole number (a class), a number (a value) or text; an array, tensor or PIL image (a
            mask, an image, values, …: what the metrics take); a mapping with ``boxes`` and ``labels`` and what else
            torchvision's detection models are trained on; or another mapping, of names to targets.
        takes: none: any.

    Raises:
        ValueError: it is none of these, or not what the metrics take.
    """
    annotation = _annotation(target, takes)
    if annotation is None or (takes and not isinstance(annotation, (*takes, Named))):
        wanted = " or ".join(_EXPECTED.get(kind, kind.__name__) for kind in takes) or "a class index, array or mapping"
        raise ValueError(f"has a target of type {type(target).__name__}; {wanted} expected")
    return annotation


def _annotation(target: Any, takes: Sequence[type]) -> Annotation | None:
    if isinstance(target, get_args(Annotation)):
        return cast(Annotation, target)
    if isinstance(target, str):
        return Text(target)
    if isinstance(target, Mapping):
        is_objects = {"boxes", "labels"} <= set(target) <= set(_OBJECT_KEYS)
        return _objects(target) if is_objects else _named(target, takes)
    values = _array(target)
    if values is None:
        return None
    return _number(values, takes) if values.ndim == 0 else _field(values, takes)


def _named(target: Mapping[Any, Any], takes: Sequence[type]) -> Named | None:
    parts = {str(name): _annotation(part, takes) for name, part in target.items()}
    return Named(parts) if parts and None not in parts.values() else None


def _array(target: Any) -> Array | None:
    if hasattr(target, "detach"):
        target = target.detach().cpu().numpy()
    try:
        values = np.asarray(target)
    except ValueError:  # lists of different lengths
        return None
    return values if values.dtype.kind in "iufb" and not isinstance(target, bool) else None


def _number(values: Array, takes: Sequence[type]) -> Annotation:
    is_class = values.dtype.kind in "iu" and (Label in takes or Values not in takes)
    return Label(int(values)) if is_class else Values(values.astype(np.float64))


def _field(values: Array, takes: Sequence[type]) -> Annotation | None:
    """Return `values` (…) as the first class that the metrics take and that has such arrays."""
    kinds = [kind for kind, fits in _FIELDS.items() if fits(values) and (not takes or kind in takes)]
    return cast(Annotation, kinds[0](values)) if kinds else None


_FIELDS: Mapping[type, Any] = {
    Mask: lambda values: values.ndim == 2 and values.dtype.kind in "iu",
    Attributes: lambda values: values.ndim == 1 and values.dtype.kind in "iu",
    Image: lambda values: values.ndim == 3 and values.shape[-1] in (1, 3, 4),
    Matte: lambda values: values.ndim == 2,
    DepthMap: lambda values: values.ndim == 2,
    Landmarks: lambda values: values.ndim == 2 and values.shape[1] == 2,
    Values: lambda values: True,
}


_OBJECT_SHAPES: Mapping[str, tuple[int | str, ...]] = {
    "boxes": ("N", 4),
    "labels": ("N",),
    "iscrowd": ("N",),
    "area": ("N",),
    "masks": ("N", "H", "W"),
    "keypoints": ("N", "K", 3),
}


def _of_objects(key: str, value: Any) -> Array:
    """Return the array `value` of objects; one without any may have lost its other axes."""
    array, shape = _array(value), _OBJECT_SHAPES[key]
    if array is not None and array.ndim == 1 and not array.size:
        array = array.reshape(0, *(side if isinstance(side, int) else 0 for side in shape[1:]))
    if array is None or array.ndim != len(shape) or not all(map(_fits, array.shape, shape)):
        found = type(value).__name__ if array is None else str(array.shape)
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"has {key} {found}; an array ({wanted}{',' * (len(shape) == 1)}) of numbers expected")
    return array


def _fits(side: int, expected: int | str) -> bool:
    return isinstance(expected, str) or side == expected


def _objects(target: Mapping[str, Any]) -> Annotation:
    """Return the objects of an image; under the names of the parts where they have masks or keypoints."""
    arrays = {key: _of_objects(key, value) for key, value in target.items() if key != "image_id"}
    count = len(arrays["labels"])
    wrong = next((key for key, array in arrays.items() if len(array) != count), None)
    if wrong is not None:
        raise ValueError(f"has {count} labels beside {wrong} {arrays[wrong].shape} found, as many of both expected")
    boxes, labels = arrays["boxes"].astype(np.float64), arrays["labels"].astype(np.int64)
    known: dict[str, Any] = {}
    if "iscrowd" in arrays:
        known["crowd"] = arrays["iscrowd"].astype(bool)
    if "area" in arrays:
        known["areas"] = arrays["area"].astype(np.float64)
    parts: dict[str, Annotation] = {"detection_annotation": Boxes(boxes, labels, **known)}
    if "masks" in arrays:
        from .. import rle

        masks = tuple(rle.encode(mask.astype(bool)) for mask in arrays["masks"])
        parts["segmentation_annotation"] = InstanceMasks(masks, labels, boxes, **known)
    if "keypoints" in arrays:
        points = arrays["keypoints"].astype(np.float64)
        parts["keypoints_annotation"] = Keypoints(
            points[..., :2], points[..., 2].astype(np.int64), labels, boxes, **known
        )
    return Named(parts) if len(parts) > 1 else parts["detection_annotation"]
