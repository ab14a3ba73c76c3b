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
    return _named(pair.sample.annotation, pair.meta.label_map)


def _named(annotation: Annotation, names: Mapping[int, str]) -> tuple[str, ...]:
    """Return the names of the classes that occur in `annotation`; those of a named part with its name before them."""
    if isinstance(annotation, Named):
        parts = annotation.parts.items()
        return tuple(f"{part} {name}" for part, value in parts for name in _named(value, names))
    # What a map of classes does not name is no class of a mask, but where nobody looks.
    void = isinstance(annotation, Mask) and bool(names)
    return tuple(names.get(index, str(index)) for index in _classes(annotation) if not void or index in names)


def _classes(annotation: Annotation) -> tuple[int, ...]:
    """Return the class indices that occur in `annotation`, ascending; none where it is not about classes."""
    if isinstance(annotation, Label):
        return (annotation.index,)
    if isinstance(annotation, Boxes | InstanceMasks | Keypoints) or (
        isinstance(annotation, Mask) and annotation.labels.ndim == 2
    ):
        return tuple(int(index) for index in np.unique(annotation.labels) if index >= 0)
    if isinstance(annotation, Attributes):
        return tuple(int(index) for index in np.flatnonzero(annotation.values > 0))
    return ()
