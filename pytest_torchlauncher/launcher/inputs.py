"""From samples to the arguments of the module, as ``inputs`` of the launcher file describes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError
from ..input_spec import INFO_TYPES, PRECISIONS, InputSpec
from ..plan import LauncherSpec
from ..types import Array, Data, Levels, Sample, Size
from .calling import Arguments, Convention
from .tensors import Converter
from .wording import listed

if TYPE_CHECKING:
    import torch

__all__ = ["Feeder"]

_TOKENS = ("input_ids", "input_mask", "segment_ids", "attention_mask", "token_type_ids")
"""Inputs of these names are int64 unless ``precision`` says otherwise."""


@dataclass(frozen=True)
class Feeder:
    """Makes the arguments of one call; `spec` names the inputs, `convention` is the module's."""

    spec: LauncherSpec
    convention: Convention
    converter: Converter

    def feed(self, samples: Sequence[Sample], state: Mapping[str, torch.Tensor] | None = None) -> Arguments:
        """Return the arguments for `samples`, (B,), as tensors on the device.

        Args:
            samples: of one batch.
            state: of each LSTM_INPUT, what the previous step gave; zeros without it.

        Raises:
            DataError: a sample lacks the part that an input asks for, the samples do not go into one batch, or a shape
                is not the one in the file.
        """
        fed = [entry for entry in self.spec.inputs if entry.type != "IGNORE_INPUT"]
        values = [(entry.name, self._value(entry, samples, state or {})) for entry in fed]
        if any(entry.type == "INPUT" for entry in fed):
            return self.convention.named_inputs(values)
        return self.convention.sample_first(self._data([sample.data for sample in samples], samples), values)

    def _value(self, entry: InputSpec, samples: Sequence[Sample], state: Mapping[str, torch.Tensor]) -> Any:
        if entry.type == "INPUT":
            return self._data([_part(entry, sample) for sample in samples], samples, entry)
        if entry.type == "LSTM_INPUT":
            return state[entry.name] if entry.name in state else self._made(entry, np.zeros(_state_shape(entry)))
        if entry.type in INFO_TYPES:
            rows = [_info(entry, sample, compat=self.spec.compat is not None) for sample in samples]
            return self._made(entry, np.array(rows))
        return self._made(entry, _constant(entry, len(samples)))

    def _made(self, entry: InputSpec, values: Array) -> torch.Tensor:
        """Return `values` as they stand, in the dtype of `entry`."""
        return self.converter.array(values, layout="", dtype=_dtype(entry))

    def _data(self, values: Sequence[Data], samples: Sequence[Sample], entry: InputSpec | None = None) -> Any:
        """Return `values`, one a sample, as a batch; as a list where the module takes one."""
        name, layout = (entry.name, entry.layout) if entry else (None, "NCHW")
        first = values[0]
        if isinstance(first, tuple | Mapping):
            _check_no_shape(entry, samples[0])
            return self._cast(self.converter.structure(self._collated(values, samples)), entry)
        if self.convention.takes_list(name) or "N" not in layout:
            one = layout.replace("N", "")
            return [_checked(entry, self._tensor(value, one, entry), batched=False) for value in values]
        return _checked(entry, self._tensor(self._collated(values, samples), layout, entry))

    def _tensor(self, data: Any, layout: str, entry: InputSpec | None) -> torch.Tensor:
        dtype = _dtype(entry) if entry else None
        if isinstance(data, np.ndarray | Levels):
            return self.converter.array(data, layout, dtype)
        return self.converter.tensor(data, dtype)

    def _cast(self, value: Any, entry: InputSpec | None) -> Any:
        """Return the structure `value`, its tensors in the precision of `entry` if that has one."""
        if entry is None or entry.precision is None:
            return value
        if isinstance(value, Mapping):
            return {name: self._cast(part, entry) for name, part in value.items()}
        if isinstance(value, tuple):
            return tuple(self._cast(part, entry) for part in value)
        return value.to(_dtype(entry))

    def _collated(self, values: Sequence[Data], samples: Sequence[Sample]) -> Any:
        """Return one value a sample as one value with the axis of the batch in front, below tuples and mappings."""
        first = values[0]
        for sample, value in zip(samples, values, strict=True):
            if not _alike(first, value):
                raise DataError(
                    f"{samples[0].identifier} {_described(first)} and {sample.identifier} {_described(value)} "
                    f"cannot go into one batch; {_remedy(first)}, or set batch: 1",
                    self.spec.where["batch"],
                )
        parts: Any = values
        if isinstance(first, Mapping):
            return {name: self._collated([part[name] for part in parts], samples) for name in first}
        if isinstance(first, tuple):
            return tuple(self._collated(column, samples) for column in zip(*parts, strict=True))
        if all(isinstance(part, Levels) for part in parts):
            return Levels.stacked(parts)
        if isinstance(first, np.ndarray | Levels):
            return np.stack([np.asarray(part) for part in parts])
        import torch

        return torch.stack(parts)


def _alike(first: Data, other: Data) -> bool:
    """Return whether both are of one kind and shape; of mappings and tuples their parts are compared on their own."""
    if isinstance(first, Mapping):
        return isinstance(other, Mapping) and set(first) == set(other)
    if isinstance(first, tuple):
        return isinstance(other, tuple) and len(first) == len(other)
    arrays = (np.ndarray, Levels)
    return isinstance(first, arrays) == isinstance(other, arrays) and _shape(first) == _shape(other)


def _shape(value: Data) -> tuple[int, ...] | None:
    return None if isinstance(value, tuple | Mapping) else tuple(value.shape)


def _described(value: Data) -> str:
    if isinstance(value, Mapping):
        return f"with the parts {listed(value)}"
    if isinstance(value, tuple):
        return f"with {len(value)} parts"
    return str(tuple(value.shape))


def _remedy(value: Data) -> str:
    is_image = not isinstance(value, tuple | Mapping) and len(value.shape) == 3
    return "add a resize or crop to the preprocessing" if is_image else "pad them to one shape, with the same parts"


def _part(entry: InputSpec, sample: Sample) -> Data:
    """Return the part of `sample` that the input's value chooses, all of it without a value."""
    if entry.value is None:
        return sample.data
    parts = sample.parts
    if isinstance(entry.value, int):
        found = [part for position, part in enumerate(parts.values()) if position == entry.value]
    else:
        found = [part for identifier, part in parts.items() if re.match(entry.value, identifier)]
    if not found:
        is_position = isinstance(entry.value, int)
        missing = f"position {entry.value} is not there" if is_position else f"no identifier matches {entry.value!r}"
        there = listed(map(repr, parts))
        raise DataError(f"inputs: {entry.name}: {missing}; {sample.identifier} has {there}", entry.where["value"])
    return found[0]


def _dtype(entry: InputSpec) -> torch.dtype | None:
    """Return the dtype that `entry` asks for, None for the module's own."""
    import torch

    precision = entry.precision or ("I64" if entry.name in _TOKENS else None)
    return getattr(torch, PRECISIONS[precision]) if precision else None


def _constant(entry: InputSpec, batch: int) -> Array:
    value = np.array(entry.value)
    if value.ndim == 0 and entry.shape is not None:
        value = np.full(entry.shape, entry.value)
    elif entry.shape is not None and not _fits(entry.shape, value.shape):
        raise _shape_error(entry, value.shape, entry.shape)
    return np.repeat(value[np.newaxis], batch, axis=0) if entry.per_sample else value


def _state_shape(entry: InputSpec) -> tuple[int, ...]:
    """Return the shape of the first state: as written where one of its sizes is 1, the batch; else with it in front."""
    shape = entry.shape or ()
    return shape if 1 in shape else (1, *shape)


def _info(entry: InputSpec, sample: Sample, *, compat: bool) -> list[float]:
    """Return the row of an info input.

    The Accuracy Checker's code gives IMAGE_INFO the resized size and two values, against its documentation.
    """
    original, resized = _sizes(entry, sample)
    if entry.type == "SCALE_FACTOR":
        return [resized[0] / original[0], resized[1] / original[1]]
    if entry.type == "IMAGE_INFO":
        size = resized if (entry.of or ("resized" if compat else "original")) == "resized" else original
        return _row(size, entry.row or (2 if compat else 3), entry.scale)
    size = original if entry.type == "ORIG_IMAGE_INFO" else sample.input_size or original
    return _row(size, entry.row or 2)


def _sizes(entry: InputSpec, sample: Sample) -> tuple[Size, Size]:
    if sample.original_size is None:
        raise DataError(
            f"inputs: {entry.name}: {sample.identifier} is no image, and {entry.type} is made of an image's size",
            entry.where["type"],
        )
    return sample.original_size, sample.resized_size or sample.original_size


def _row(size: Size, length: int, scale: float = 1.0) -> list[float]:
    return [*map(float, size), *{2: [], 3: [scale], 6: [0.0] * 4}[length]]


def _checked(entry: InputSpec | None, tensor: torch.Tensor, *, batched: bool = True) -> torch.Tensor:
    """Return `tensor` if its shape is that of `entry`, which has the axis of the batch or leaves it out."""
    if entry is None or entry.shape is None:
        return tensor
    shape, axis = tuple(tensor.shape), max(entry.layout.find("N"), 0)
    if batched and len(entry.shape) == tensor.ndim:
        wanted = (*entry.shape[:axis], -1, *entry.shape[axis + 1 :])
    else:
        wanted = (*entry.shape[:axis], -1, *entry.shape[axis:]) if batched else entry.shape
    if not _fits(wanted, shape):
        raise _shape_error(entry, shape, entry.shape)
    return tensor


def _check_no_shape(entry: InputSpec | None, sample: Sample) -> None:
    if entry is not None and entry.shape is not None:
        parts = listed(sample.parts)
        message = (
            f"inputs: {entry.name}: {sample.identifier} has the parts {parts}, which shape cannot check; choose one"
        )
        raise DataError(f"{message} with value, or remove shape", entry.where["shape"])


def _fits(wanted: Sequence[int], shape: Sequence[int]) -> bool:
    return len(wanted) == len(shape) and all(w in (-1, size) for w, size in zip(wanted, shape, strict=True))


def _shape_error(entry: InputSpec, found: Sequence[int], wanted: Sequence[int]) -> DataError:
    text = f"{list(found)} found, {list(wanted)} expected; correct shape, which is only checked, or the preprocessing"
    return DataError(f"inputs: {entry.name}: {text}", entry.where["shape"])
