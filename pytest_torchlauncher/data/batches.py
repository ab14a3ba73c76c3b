"""Steps on a sample, and samples put into batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

import numpy as np

from ..errors import DataError, told
from ..kinds import Preprocessor
from ..options import Component
from ..types import Array, Batch, Data, DatasetMeta, Levels, Sample, Size

__all__ = ["batches", "stepped", "suited", "with_arrays"]


def suited(steps: Iterable[Component[Preprocessor]], input_size: Size | None) -> list[Component[Preprocessor]]:
    """Return `steps` for a model whose image input has `input_size`, None where the launcher does not state it.

    Raises:
        DataError: a step cannot do without.
    """
    return [_suited(step, input_size) for step in steps]


def stepped(sample: Sample, steps: Sequence[Component[Preprocessor]]) -> Sample:
    """Return `sample` after all `steps`; of one with several parts each image goes through them.

    Raises:
        DataError: a step cannot take the sample; names the step, its place in the file and the sample.
    """
    whole = not isinstance(sample.data, tuple | Mapping)
    return _stepped(sample, steps) if whole or not steps else _each_image(sample, steps)


def _suited(step: Component[Preprocessor], input_size: Size | None) -> Component[Preprocessor]:
    with told(step.name, step.where.own, DataError):
        return replace(step, block=step.block.suited_to(input_size))


def _each_image(sample: Sample, steps: Sequence[Component[Preprocessor]]) -> Sample:
    """Return `sample` with its images (H, W, C) after `steps`, in the sizes of the first; other parts stay."""
    parts: dict[str, Data] = dict(sample.parts)
    images = {
        name: _stepped(replace(sample, data=part, original_size=None, geometry=None), steps)
        for name, part in parts.items()
        if isinstance(part, np.ndarray) and part.ndim == 3
    }
    parts.update({name: image.data for name, image in images.items()})
    data = tuple(parts.values()) if isinstance(sample.data, tuple) else parts
    first = next(iter(images.values()), sample)
    return replace(first, data=data, original_size=sample.original_size)


def _stepped(sample: Sample, steps: Iterable[Component[Preprocessor]]) -> Sample:
    if _is_image_of_bytes(sample.data):
        sample = replace(sample, data=Levels.of(sample.data))
    for step in steps:
        sample = _apply(step, sample if step.block.takes_levels else _as_array(sample))
    are_bytes = isinstance(sample.data, Levels) and sample.data.are_bytes
    return _as_array(sample) if are_bytes else sample


def with_arrays(batch: Batch) -> Batch:
    """Return `batch` for user code, which knows no `Levels`."""
    return replace(batch, samples=tuple(map(_as_array, batch.samples)))


def _is_image_of_bytes(data: Data) -> TypeGuard[Array]:
    # A table of many channels is larger than what it stands for, and OpenCV's images have four at most.
    return isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.ndim == 3 and data.shape[-1] <= 4


def _as_array(sample: Sample) -> Sample:
    """Return `sample` with an array in place of `Levels`."""
    array = _array(sample.data)
    return sample if array is sample.data else replace(sample, data=array)


def _array(data: Data) -> Data:
    if isinstance(data, Levels):
        return data.levels if data.are_bytes else np.asarray(data)
    if isinstance(data, Mapping):
        arrays = {name: _array(part) for name, part in data.items()}
        return arrays if any(arrays[name] is not part for name, part in data.items()) else data
    if isinstance(data, tuple):
        parts = tuple(map(_array, data))
        return parts if any(part is not old for part, old in zip(parts, data, strict=True)) else data
    return data


def _apply(step: Component[Preprocessor], sample: Sample) -> Sample:
    try:
        done = step.block.apply(sample)
    except Exception as error:
        shape, dtype = tuple(sample.data.shape), sample.data.dtype  # type: ignore[union-attr]  # never of several parts
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        message = f"{step.name}: {sample.identifier} {shape} {dtype}: {reason}"
        raise DataError(message, step.where.own) from error
    if not isinstance(done, Sample):
        message = f"{step.name}: returned a {type(done).__name__} for {sample.identifier}; a Sample expected"
        raise DataError(message, step.where.own)
    return done


def batches(samples: Iterable[Sample], size: int, meta: DatasetMeta) -> Iterator[Batch]:
    """Yield batches of `size` samples in order, with the classes `meta`; the last may be smaller."""
    iterator = iter(samples)
    while chunk := tuple(itertools.islice(iterator, size)):
        yield Batch(chunk, meta)
