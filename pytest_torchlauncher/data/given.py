"""Datasets that a pytest fixture gives: (input, target) pairs or samples."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from ..errors import DataError, told
from ..plan import Amount, DatasetSpec
from ..types import Annotation, Data, Dataset, DatasetMeta, InFile, Label, Sample
from .digest import digest_of
from .limit import limited
from .subset import drawn
from .targets import annotation_of

__all__ = ["open_given"]


def open_given(value: Any, spec: DatasetSpec, takes: Sequence[type] = (), limit: Amount | None = None) -> Dataset:
    """Return the dataset that the fixture's `value` stands for.

    Args:
        value: a `Dataset`, or any iterable or map-style dataset of (input, target) pairs or `Sample` objects.
        spec: the dataset's entry in the launcher file.
        takes: the classes of annotations that its metrics measure.
        limit: how many of the samples are asked for; all of them by default.

    Raises:
        DataError: `value` is nothing of that kind.
    """
    where = spec.where["fixture"]
    samples, meta = (value.samples, value.meta) if isinstance(value, Dataset) else (value, _meta(value))
    if isinstance(samples, Mapping) or not (isinstance(samples, Iterable) or _is_map_style(samples)):
        raise DataError(
            f"fixture {spec.fixture!r} gave a {type(value).__name__}; "
            "a Dataset, or an iterable of (input, target) pairs or Sample objects expected",
            where,
        )
    kind = _CountedGiven if _is_map_style(samples) else _Given
    return Dataset(kind(samples, spec, tuple(takes), limit), meta)


def _is_map_style(samples: Any) -> bool:
    return hasattr(samples, "__getitem__") and hasattr(samples, "__len__")


def _meta(value: Any) -> DatasetMeta:
    """Return the classes of a torchvision dataset, which lists them in ``classes``."""
    classes = getattr(value, "classes", None)
    return DatasetMeta(dict(enumerate(map(str, classes)))) if isinstance(classes, list | tuple) else DatasetMeta()


@dataclass(frozen=True)
class _Given:
    items: Any
    spec: DatasetSpec
    takes: tuple[type, ...]
    limit: Amount | None

    def __iter__(self) -> Iterator[Sample]:
        for index, item in self._chosen():
            sample = self._checked(index, item) if isinstance(item, Sample) else self._pair(index, item)
            yield sample if sample.digest else replace(sample, digest=digest_of(sample.data))

    def _checked(self, index: int, sample: Sample) -> Sample:
        if not isinstance(sample.identifier, str):
            raise self._error(index, f"has the identifier {sample.identifier!r}; text expected")
        odd = next(
            (leaf for leaf in _leaves(sample.data) if not isinstance(leaf, np.ndarray) and not _is_tensor(leaf)), ()
        )
        if odd != ():
            raise self._error(index, f"has data of type {type(odd).__name__}; an array or tensor expected")
        if not isinstance(sample.annotation, get_args(Annotation)):
            kind = type(sample.annotation).__name__
            raise self._error(index, f"has an annotation of type {kind}; a Label, Boxes or another annotation expected")
        return sample

    def _chosen(self) -> Iterator[tuple[int, Any]]:
        """Yield the items of the subset with their positions."""
        # A map-style dataset need not raise IndexError at its end, on which plain iteration relies.
        if _is_map_style(self.items):
            for index in self._positions():
                with self._told(index):
                    item = self.items[index]
                yield index, item
        elif self.spec.subsample_size is None and self.limit is None:
            yield from self._all()
        else:
            items = [item for _, item in self._all()]
            chosen = self._limited(items, drawn(_annotations(items), self.spec))
            yield from ((index, items[index]) for index in chosen)

    def _positions(self) -> Sequence[int]:
        """Return the positions of the samples that are asked for, of a map-style dataset."""
        # Other datasets may load an item from disk, which only those that are drawn are worth.
        known = self.items if isinstance(self.items, list | tuple) else [None] * len(self.items)
        return self._limited(known, drawn(_annotations(known), self.spec))

    def _limited(self, items: Sequence[Any], positions: Sequence[int]) -> Sequence[int]:
        """Return those of `positions` that the limit leaves."""
        if self.limit is None:
            return positions
        targets: Any = next((found for name in _LISTED if (found := getattr(self.items, name, None)) is not None), None)
        if _is_map_style(targets) and len(targets) == len(items):
            items = [(None, targets[position]) for position in range(len(items))]
        chosen = limited([_known(position, items[position]) for position in positions], self.limit)
        return [positions[place] for place in chosen]

    def _all(self) -> Iterator[tuple[int, Any]]:
        items = iter(self.items)
        for index in itertools.count():
            with self._told(index):
                item = next(items, _END)
            if item is _END:
                return
            yield index, item

    def _told(self, index: int) -> AbstractContextManager[None]:
        return told(f"item {index} of fixture {self.spec.fixture!r}", self.spec.where["fixture"], DataError)

    def _pair(self, index: int, item: Any) -> Sample:
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise self._error(index, f"is a {type(item).__name__}; an (input, target) pair or a Sample expected")
        data, target = item
        annotation = self._annotation(index, target)
        if _is_tensor(data) and self.spec.preprocessing:
            raise self._error(
                index, "is a tensor, fed as it stands; remove the preprocessing, or let the fixture give arrays"
            )
        value = self._input(index, data)
        if isinstance(value, np.ndarray) and value.ndim == 2:
            value = value[..., np.newaxis]
        images = [leaf for leaf in _leaves(value) if isinstance(leaf, np.ndarray) and leaf.ndim == 3]
        is_rgb = bool(images) and images[0].shape[-1] == 3
        return Sample(str(index), value, annotation, "rgb" if is_rgb else None)

    def _input(self, index: int, data: Any) -> Data:
        """Return `data` as it is fed: parts stay parts, tensors stay, PIL images become arrays (H, W, C)."""
        if isinstance(data, Mapping | tuple | list) and not data:
            raise self._error(index, "has an empty input; a tensor, array or image expected")
        if isinstance(data, Mapping):
            return {str(name): self._input(index, part) for name, part in data.items()}
        if isinstance(data, tuple) or (isinstance(data, list) and _is_tensor(data[0])):
            return tuple(self._input(index, part) for part in data)
        if _is_tensor(data):
            return data  # type: ignore[no-any-return]
        is_picture = hasattr(data, "convert")
        # Of a palette image numpy sees the indices, of a bilevel one truth values.
        if is_picture and getattr(data, "mode", "L") not in ("L", "RGB"):
            data = data.convert("RGB")
        try:
            array = np.asarray(data)
        except ValueError:  # lists of different lengths
            array = np.empty(())
        if array.dtype.kind not in "uifb" or array.ndim == 0:
            raise self._error(index, f"has an input of type {type(data).__name__}; a tensor, array or image expected")
        return array[..., np.newaxis] if is_picture and array.ndim == 2 else array

    def _annotation(self, index: int, target: Any) -> Annotation:
        try:
            return annotation_of(target, self.takes)
        except ValueError as error:
            raise self._error(index, str(error)) from None

    def _error(self, index: int, message: str) -> DataError:
        return DataError(f"item {index} of fixture {self.spec.fixture!r} {message}", self.spec.where["fixture"])


class _CountedGiven(_Given):
    """Samples of which it is known how many there are."""

    def __len__(self) -> int:
        return len(self._positions())


_LISTED = ("targets", "labels")
"""Where torchvision's datasets list their classes."""

_END = object()
"""Marks the end of the items, since None may be one."""


def _leaves(data: Any) -> Iterator[Any]:
    """Yield the parts of `data`, however deep."""
    if isinstance(data, Mapping | tuple):
        for part in data.values() if isinstance(data, Mapping) else data:
            yield from _leaves(part)
    else:
        yield data


def _is_tensor(data: Any) -> bool:
    """Whether `data` is a torch tensor, told without importing torch."""
    return any(base.__module__ == "torch" and base.__name__ == "Tensor" for base in type(data).__mro__)


def _known(index: int, item: Any) -> tuple[str, Annotation | None]:
    """Return identifier and annotation of `item`, as far as they show without loading it."""
    if isinstance(item, Sample):
        return item.identifier, item.annotation
    target = item[1] if isinstance(item, tuple | list) and len(item) == 2 else None
    try:
        return str(index), Label(operator.index(target))  # type: ignore[arg-type]  # of anything but whole numbers it raises
    except (TypeError, ValueError, RuntimeError):  # torch's tensors of other shapes and dtypes
        return str(index), None


def _annotations(items: Sequence[Any]) -> list[Annotation | InFile | None]:
    """Return the annotations of the `items` that are samples already, None of others."""
    return [item.annotation if isinstance(item, Sample) else None for item in items]
