"""Subtraction of a mean and division by a standard deviation."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator

from ..channel_values import NAMED_MEANS, channel_values
from ..kinds import Preprocessor
from ..registry import register
from ..types import Array, Levels, Sample
from ._arrays import array_of

__all__ = ["Normalization"]


def _numbers(value: Any) -> Any:
    return None if value is None else channel_values(value)


def _means(value: Any) -> Any:
    return _numbers(NAMED_MEANS.get(value.lower(), value) if isinstance(value, str) else value)


def _stds(value: Any) -> Any:
    if isinstance(value, str) and value.lower() in NAMED_MEANS:
        raise ValueError(f"{value!r} found: the reference's table holds the means under that name; give numbers")
    numbers = _numbers(value)
    if numbers and 0 in numbers:
        raise ValueError(f"{value!r} found, numbers other than 0 expected")
    return numbers


Numbers = float | tuple[float, ...] | str | None


@register("normalization")
@dataclass(frozen=True, kw_only=True)
class Normalization(Preprocessor):
    """``(x - mean) / std`` in float64, by channels of the last axis in the order they have at this point.

    Args:
        mean: a number, one a channel (a list, or text such as ``123.7, 116.3, 103.5``), or the name ``imagenet``
            (BGR) or ``cifar10``.
        std: a number, or one a channel.
        images_only: whether data that is no image of 1, 3 or 4 channels stays as it is.
    """

    takes_levels: ClassVar[bool] = True
    mean: Annotated[Numbers, BeforeValidator(_means)] = None
    std: Annotated[Numbers, BeforeValidator(_stds)] = None
    images_only: bool = False

    def __post_init__(self) -> None:
        """Check `mean` and `std`.

        Raises:
            ValueError: neither is given, one is no number, or `std` has a zero.
        """
        if _means(self.mean) is None and _stds(self.std) is None:
            raise ValueError("neither mean nor std found, at least one expected")

    def apply(self, sample: Sample) -> Sample:
        """Return the data, of any shape, as float64.

        Raises:
            ValueError: the data is a tensor, or has another number of channels.
        """
        if isinstance(sample.data, Levels):
            if self.images_only and sample.data.shape[-1] not in _CHANNELS:
                return sample
            return sample.with_data(Levels(sample.data.levels, self._normalized(sample.data.table)))
        array = array_of(sample)
        return sample if self.images_only and not _is_image(array) else sample.with_data(self._normalized(array))

    def _normalized(self, array: Array) -> Array:
        result = np.subtract(array, self._fitting("mean", self._mean, array), dtype=np.float64)
        result /= self._fitting("std", self._std, array)
        return result

    @functools.cached_property
    def _mean(self) -> Array:
        return np.array(_means(self.mean) or 0.0)

    @functools.cached_property
    def _std(self) -> Array:
        return np.array(_stds(self.std) or 1.0)

    def _fitting(self, option: str, values: Array, array: Array) -> Array:
        channels = array.shape[-1] if array.ndim else 1
        if values.size not in (1, channels):
            raise ValueError(f"{option}: {values.size} values found, 1 or {channels} expected, one a channel")
        return values if values.size > 1 else values.reshape(())


_CHANNELS = (1, 3, 4)


def _is_image(array: Array) -> bool:
    return array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in _CHANNELS)
