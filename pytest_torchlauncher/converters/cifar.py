"""CIFAR-10 and CIFAR-100 in their Python version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from ..errors import DataError, display_path
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, Array, DatasetMeta, Label
from ._images import write_missing
from ._meta import named_classes, read_meta
from ._pickle import read_pickle, text

__all__ = ["Cifar"]

_SIDE = 32

_KEYS = {10: ("labels", "label_names"), 100: ("fine_labels", "fine_label_names")}

_CIFAR10_NAMES = "airplane automobile bird cat deer dog frog horse ship truck"

_CIFAR100_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""

_NAMES = {10: _CIFAR10_NAMES.split(), 100: _CIFAR100_NAMES.split()}


@register("cifar")
@dataclass(frozen=True, kw_only=True)
class Cifar(Converter):
    """Images and labels of one batch file, https://www.cs.toronto.edu/~kriz/cifar.html.

    Args:
        data_batch_file: a pickle with ``data`` (N, 3072) uint8, ``labels`` or ``fine_labels``, ``filenames``.
        batch_meta_file: a pickle with the names of the classes; by default they are those of CIFAR.
        has_background: whether the model has a background class 0, which moves all labels up by one.
        convert_images: whether to write the images as PNG files too, those that are not there yet.
        converted_images_dir: where to; by default ``converted_images`` beside the batch file.
        num_classes: 10, or 100 for the fine labels of CIFAR-100.
        dataset_meta_file: JSON with the classes, where there is no `batch_meta_file`.
    """

    data_batch_file: DataPath
    batch_meta_file: DataPath | None = None
    has_background: bool = False
    convert_images: bool = False
    converted_images_dir: DataPath | None = None
    num_classes: int = 10
    dataset_meta_file: DataPath | None = None

    def __post_init__(self) -> None:
        """Check `num_classes`.

        Raises:
            ValueError: it is neither 10 nor 100.
        """
        if self.num_classes not in _KEYS:
            raise ValueError(f"num_classes: {self.num_classes} found, 10 or 100 expected")

    def convert(self) -> Annotations:
        """Return the images (32, 32, 3) uint8 in RGB, in the order of the file.

        Raises:
            MissingDataError: a file is not there.
            DataError: a file is no such pickle.
        """
        batch = read_pickle(self.data_batch_file, "data_batch_file")
        images, labels = self._images(batch), self._labels(batch)
        if len(images) != len(labels):
            raise self._error(f"{len(images)} images and {len(labels)} labels found, as many of both expected")
        meta = self._meta()
        identifiers = _identifiers(batch.get("filenames"), labels, meta)
        items = tuple(
            Annotated(identifier, Label(label), image, "rgb")
            for identifier, label, image in zip(identifiers, labels, images, strict=True)
        )
        root = self.converted_images_dir or self.data_batch_file.parent / "converted_images"
        if self.convert_images:
            write_missing(items, root)
        return Annotations(items, meta, root if self.convert_images else None)

    def _images(self, batch: Mapping[str, Any]) -> Array:
        data = self._value(batch, "data")
        if not isinstance(data, np.ndarray):
            raise self._error(f"data: a {type(data).__name__} found, an array (N, 3072) uint8 expected")
        if data.dtype != np.uint8 or data.shape[1:] != (3 * _SIDE * _SIDE,):
            raise self._error(f"data: an array {data.shape} {data.dtype} found, (N, 3072) uint8 expected")
        return np.ascontiguousarray(data.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1))

    def _labels(self, batch: Mapping[str, Any]) -> list[int]:
        key = _KEYS[self.num_classes][0]
        found = self._value(batch, key)
        labels = found.tolist() if isinstance(found, np.ndarray) else found
        if not isinstance(labels, list) or not all(label in range(self.num_classes) for label in labels):
            raise self._error(
                f"{key}: other values found than a list of class indices from 0 to {self.num_classes - 1}"
            )
        return [int(label) + self.has_background for label in labels]

    def _value(self, batch: Mapping[str, Any], key: str) -> Any:
        if key not in batch:
            raise self._error(f"no {key!r} found, only {', '.join(sorted(batch))}; is num_classes right?")
        return batch[key]

    def _meta(self) -> DatasetMeta:
        if self.batch_meta_file is None and self.dataset_meta_file is not None:
            return read_meta(self.dataset_meta_file, self.has_background)
        return named_classes(self._names(self.batch_meta_file), self.has_background)

    def _names(self, meta_file: Path | None) -> Sequence[str]:
        if meta_file is None:
            return _NAMES[self.num_classes]
        key = _KEYS[self.num_classes][1]
        names = read_pickle(meta_file, "batch_meta_file").get(key)
        if not isinstance(names, list) or len(names) != self.num_classes:
            raise DataError(
                f"batch_meta_file {display_path(meta_file)}: no {self.num_classes} names found in {key!r}; "
                "is num_classes right?"
            )
        return [text(name) for name in names]

    def _error(self, message: str) -> DataError:
        return DataError(f"data_batch_file {display_path(self.data_batch_file)}: {message}")


def _identifiers(filenames: Any, labels: Sequence[int], meta: DatasetMeta) -> list[str]:
    """Return the base names of `filenames` where there is one an image, else index and class."""
    if isinstance(filenames, list) and len(filenames) == len(labels):
        return [PureWindowsPath(text(name)).name for name in filenames]
    return [f"{index}_{meta.label_map.get(label, label)}.png" for index, label in enumerate(labels)]
