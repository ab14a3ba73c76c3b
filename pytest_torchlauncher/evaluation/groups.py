"""To which groups of its dataset a sample belongs: its classes, or what its metadata says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..types import Annotation, Attributes, Boxes, InstanceMasks, Keypoints, Label, Mask, Named, Pair

__all__ = ["CLASS", "groups_of"]

CLASS = "class"


def groups_of(pair: Pair, key: str) -> tuple[str, ...]:
    """Return the groups of a sample; none where nothing says.

    Args:
        pair: of the sample.
        key: of its metadata; or ``class``, for the names of all classes that its annotation has.
    """
    if key != CLASS:
        value = pair.sample.metadata.get(key)
        return () if value is None else (str(value),)
    return tuple(_named(index, pair.meta.label_map) for index in _classes(pair.sample.annotation))


def _classes(annotation: Annotation) -> tuple[int, ...]:
    """Return the class indices that occur in `annotation`, ascending; none where it is not about classes."""
    if isinstance(annotation, Named):
        return tuple(sorted({index for part in annotation.parts.values() for index in _classes(part)}))
    if isinstance(annotation, Label):
        return (annotation.index,)
    if isinstance(annotation, Boxes | InstanceMasks | Keypoints) or (
        isinstance(annotation, Mask) and annotation.labels.ndim == 2
    ):
        return tuple(int(index) for index in np.unique(annotation.labels) if index >= 0)
    if isinstance(annotation, Attributes):
        return tuple(int(index) for index in np.flatnonzero(annotation.values > 0))
    return ()


def _named(index: int, names: Mapping[int, str]) -> str:
    return names.get(index, str(index))
