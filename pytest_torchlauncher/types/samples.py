"""What travels from a dataset to the model: items, samples, batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import Array, Color, Data, Region, Size
from .geometry import Geometry
from .levels import Levels
from .representations import Annotation, InFile, Prediction

__all__ = ["Annotated", "Annotations", "Batch", "Dataset", "DatasetMeta", "Pair", "Sample"]


@dataclass(frozen=True, slots=True)
class DatasetMeta:
    """What is known of a dataset's classes.

    Args:
        label_map: from class index to name; for text, from index to symbol.
        background_label: the index of the background.
        segmentation_colors: RGB of each class in the order of the indices, where masks are images.
        prediction_to_gt_labels: from what the model calls a class to what the annotations call it.
        blank_label: the index that stands for no symbol, where a model reads text.
    """

    label_map: Mapping[int, str] = field(default_factory=dict)
    background_label: int | None = None
    segmentation_colors: tuple[tuple[int, int, int], ...] = ()
    prediction_to_gt_labels: Mapping[int, int] = field(default_factory=dict)
    blank_label: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """One annotated item of a dataset.

    `data` is set where the annotation file itself holds the image: (H, W, C) uint8 in `color` order. `parts` are the
    files of an item that is made of several; `file` is that of an item whose identifier is not its path, as where
    several items lie in one image. `region` is the part of the image that the item is. `metadata` says to which groups
    of the dataset it belongs, by which metrics can be judged slice by slice.
    """

    identifier: str
    annotation: Annotation | InFile
    data: Data | None = None
    color: Color | None = None
    parts: tuple[str, ...] = ()
    file: str = ""
    region: Region | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """What a converter returns: the items in a stable order, the classes, and where items lie by default."""

    items: Sequence[Annotated]
    meta: DatasetMeta = DatasetMeta()
    root: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One item on its way to the model.

    `data` is an image (H, W, C) uint8 or float, any other array, a tensor that is fed as it stands, or a tuple or
    mapping of them; an image may be `Levels` after preprocessing, of which ``numpy.asarray`` gives the numbers.
    `digest` is the SHA-256 of the stored bytes, empty where the data came from a fixture.
    `geometry` tells where the image's pixels came from; None where there is no image, or nobody knows.
    `original_size` is that of the image before preprocessing, None where there is none. `region` is the part of the
    original image that the annotation is about, where it is not the whole. `metadata` says to which groups of the
    dataset it belongs (``{"site": "A"}``), by which metrics can be judged slice by slice; no stage reads it.
    """

    identifier: str
    data: Data
    annotation: Annotation
    color: Color | None = None
    digest: str = ""
    original_size: Size | None = None
    geometry: Geometry | None = None
    region: Region | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take original size and geometry from the data, unless the size is known."""
        if self.original_size is None and (size := self.input_size):
            object.__setattr__(self, "original_size", size)
            object.__setattr__(self, "geometry", Geometry.of(size))

    def with_data(self, data: Data, color: Color | None = None) -> Sample:
        """Return this sample with other `data` of the same geometry; `color` stays unless given."""
        return replace(self, data=data, color=color or self.color)

    def moved(self, data: Array | Levels, geometry: Geometry | None) -> Sample:
        """Return this sample with `data`, the image (H, W, C) after a step that moved its pixels."""
        size = self.original_size or _sides(self.data)
        return replace(self, data=data, geometry=geometry, original_size=size)

    @property
    def resized_size(self) -> Size | None:
        """The size of the image after its last resize; None where there was none."""
        return self.geometry.resized if self.geometry else None

    @property
    def parts(self) -> Mapping[str, Data]:
        """What this sample is made of, by identifier: names of a mapping, positions of a tuple, else the sample's."""
        if isinstance(self.data, Mapping):
            return self.data
        if isinstance(self.data, tuple):
            return {str(position): part for position, part in enumerate(self.data)}
        return {self.identifier: self.data}

    @property
    def input_size(self) -> Size | None:
        """The size of the data as it stands, of its first image where there are several."""
        sizes = (_image_size(part) for part in self.parts.values())
        return next((size for size in sizes if size), None)


def _sides(data: Data) -> Size | None:
    """Return the size of an image (H, W) without an axis of channels; None of anything else."""
    if not isinstance(data, np.ndarray) or data.ndim != 2:
        return None
    height, width = data.shape
    return height, width


def _image_size(data: Any) -> Size | None:
    """Return the size of an array (H, W, C) or a tensor (…, C, H, W); None of anything else."""
    shape = tuple(getattr(data, "shape", ()))
    if len(shape) < 3:
        return None
    height, width = shape[:2] if isinstance(data, np.ndarray | Levels) else shape[-2:]
    return int(height), int(width)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples that go through the model together, and the classes of their dataset."""

    samples: tuple[Sample, ...]
    meta: DatasetMeta = DatasetMeta()


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A sample's annotation beside its prediction, on their way to the metrics."""

    annotation: Annotation
    prediction: Prediction
    sample: Sample
    meta: DatasetMeta = DatasetMeta()


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with their classes: what a dataset fixture may return and what every dataset becomes.

    Args:
        samples: `Sample` objects, or pairs (input, target). A tensor input is fed as it stands; an array or PIL
            image is an image (H, W, C) in RGB and goes through the preprocessing. An integer target is a label.
        meta: the dataset's classes.
    """

    samples: Iterable[Any]
    meta: DatasetMeta = DatasetMeta()
