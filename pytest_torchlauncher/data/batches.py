"""Samples, preprocessed and collated into batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError, Position
from ..kinds import Preprocessor
from ..options import Component
from ..types import Array, Batch, Sample

if TYPE_CHECKING:
    import torch

__all__ = ["batches", "preprocess"]


def preprocess(samples: Iterable[Sample], steps: Sequence[Component[Preprocessor]]) -> Iterator[Sample]:
    """Yield each sample after all `steps`.

    Raises:
        DataError: a step cannot take a sample; names the step, its place in the file and the sample.
    """
    for sample in samples:
        for step in steps:
            sample = _apply(step, sample)
        yield sample


def _apply(step: Component[Preprocessor], sample: Sample) -> Sample:
    try:
        done = step.block.apply(sample)
    except Exception as error:
        shape, dtype = tuple(sample.data.shape), sample.data.dtype
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        message = f"{step.name}: {sample.identifier} {shape} {dtype}: {reason}"
        raise DataError(message, step.where.own) from error
    if not isinstance(done, Sample):
        message = f"{step.name}: returned a {type(done).__name__} for {sample.identifier}; a Sample expected"
        raise DataError(message, step.where.own)
    return done


def batches(samples: Iterable[Sample], size: int, where: Position | None = None) -> Iterator[Batch]:
    """Yield batches of `size` samples in order; the last may be smaller.

    Raises:
        DataError: two samples of a batch have different shapes or kinds of data.
    """
    iterator = iter(samples)
    while chunk := tuple(itertools.islice(iterator, size)):
        yield Batch(chunk, _collate(chunk, where))


def _collate(samples: tuple[Sample, ...], where: Position | None) -> Array | torch.Tensor:
    first = samples[0]
    for sample in samples:
        if type(sample.data) is not type(first.data) or sample.data.shape != first.data.shape:
            raise DataError(
                f"{first.identifier} {tuple(first.data.shape)} and {sample.identifier} {tuple(sample.data.shape)} "
                "cannot go into one batch; add a resize or crop to the preprocessing, or set batch: 1",
                where,
            )
    if isinstance(first.data, np.ndarray):
        return np.stack([np.asarray(sample.data) for sample in samples])
    import torch

    return torch.stack([torch.as_tensor(sample.data) for sample in samples])
