"""The names of a dataset's classes."""

from __future__ import annotations

from collections import Counter

from ..errors import DataError
from ..types import DatasetMeta

__all__ = ["class_name", "class_names"]


def class_names(meta: DatasetMeta) -> dict[int, str]:
    """Return the names by index, told apart where two classes share one, as two of ImageNet's do.

    Raises:
        DataError: the dataset has none.
    """
    if not meta.label_map:
        raise DataError(
            "the dataset has no label_map, the names of its classes; add a labels_file or dataset_meta_file to its "
            "annotation_conversion, or let its fixture give a Dataset with meta"
        )
    counts = Counter(meta.label_map.values())
    return {label: name if counts[name] == 1 else f"{name} ({label})" for label, name in meta.label_map.items()}


def class_name(names: dict[int, str], label: int) -> str:
    """Return the name of `label`.

    Raises:
        DataError: `names` lacks it.
    """
    if label not in names:
        raise DataError(f"label {label} is not in the label_map of {len(names)} classes; correct one of them")
    return names[label]
