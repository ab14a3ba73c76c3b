"""The classes of a dataset: ``dataset_meta_file``, and lists of names with or without a background."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError, Position, display_path
from ..types import DatasetMeta
from ._files import read_text

__all__ = ["named_classes", "read_meta"]


def named_classes(names: Sequence[str], first: int = 0) -> DatasetMeta:
    """Return the classes `names` in order, from index `first`; above 0, a class ``background`` is 0."""
    if first > 0:
        return DatasetMeta({0: "background", **dict(enumerate(names, first))}, 0)
    return DatasetMeta(dict(enumerate(names, first)))


def read_meta(path: Path, first: int = 0) -> DatasetMeta:
    """Return the classes that the JSON file `path` describes.

    Args:
        path: holds ``label_map`` (index to name) or else ``labels`` (names in order), and may hold
            ``background_label``, ``segmentation_colors`` and ``prediction_to_gt_labels``.
        first: index of the first of ``labels``; above 0, ``background`` is 0.

    Raises:
        MissingDataError: the file is not there.
        DataError: it is no such JSON.
    """
    content = _load(path)
    classes = _classes(content, path, first)
    background = content.get("background_label", classes.background_label)
    if isinstance(background, str) and background.lstrip("-").isdigit():
        background = int(background)
    if background is not None and (not isinstance(background, int) or isinstance(background, bool)):
        raise _error(path, f"background_label: {background!r} found, a class index expected")
    return DatasetMeta(classes.label_map, background, _colors(content, path), _renamed(content, path))


def _load(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(read_text(path, "dataset_meta_file"))
    except json.JSONDecodeError as error:
        where = Position(path, error.lineno, error.colno)
        raise DataError(f"invalid JSON: {error.msg}; correct the file", where) from None
    if not isinstance(content, Mapping):
        raise _error(path, f"a {type(content).__name__} found, an object with 'label_map' or 'labels' expected")
    return content


def _classes(content: Mapping[str, Any], path: Path, first: int) -> DatasetMeta:
    if "label_map" in content:
        return DatasetMeta(_label_map(content["label_map"], path))
    labels = content.get("labels", [])
    if not isinstance(labels, list):
        raise _error(path, f"labels: a {type(labels).__name__} found, a list of class names expected")
    return named_classes([str(label) for label in labels], first if "labels" in content else 0)


def _colors(content: Mapping[str, Any], path: Path) -> tuple[tuple[int, int, int], ...]:
    colors = content.get("segmentation_colors", [])
    try:
        return tuple((int(red), int(green), int(blue)) for red, green, blue in colors)
    except (TypeError, ValueError):
        raise _error(path, "segmentation_colors: a list of [red, green, blue] expected") from None


def _renamed(content: Mapping[str, Any], path: Path) -> dict[int, int]:
    labels = content.get("prediction_to_gt_labels", {})
    try:
        return {int(predicted): int(label) for predicted, label in labels.items()}
    except (AttributeError, TypeError, ValueError):
        raise _error(path, "prediction_to_gt_labels: an object of class index to class index expected") from None


def _label_map(label_map: Any, path: Path) -> dict[int, str]:
    if not isinstance(label_map, Mapping):
        raise _error(path, f"label_map: a {type(label_map).__name__} found, an object of index to name expected")
    return {_index(key, path): str(name) for key, name in label_map.items()}


def _index(key: str, path: Path) -> int:
    try:
        return int(key)
    except ValueError:
        raise _error(path, f"label_map: key {key!r} found, a class index such as '0' expected") from None


def _error(path: Path, message: str) -> DataError:
    return DataError(f"dataset_meta_file {display_path(path)}: {message}")
