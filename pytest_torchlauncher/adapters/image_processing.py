"""Images that a model returns."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from ..channel_values import NAMED_MEANS, channel_values
from ..errors import OutputError
from ..kinds import Adapter
from ..registry import register
from ..types import Array, Batch, Image, Outputs, Prediction
from ._pixels import as_float, to_8_bit
from ._rows import rows

__all__ = ["ImageProcessing"]


def _means(value: Any) -> tuple[float, ...]:
    named = NAMED_MEANS.get(value.lower()) if isinstance(value, str) else None
    return named or channel_values(value)


def _stds(value: Any) -> tuple[float, ...]:
    numbers = _means(value)
    if 0 in numbers:
        raise ValueError(f"{value!r} found, numbers other than 0 expected")
    return numbers


Numbers = float | tuple[float, ...] | str


@register("image_processing")
@dataclass(frozen=True, kw_only=True)
class ImageProcessing(Adapter):
    """An output as images: ``x * std + mean``, which undoes the normalization of the preprocessing.

    Nobody knows the order of a model's channels: the image has none unless it is gray.

    Args:
        reverse_channels: whether RGB becomes BGR and the other way round.
        mean: what is added, a number or one a channel (a list, or text such as ``123.7, 116.3, 103.5``), or the name
            ``imagenet`` or ``cifar10``.
        std: what is multiplied by before, likewise; the names stand for the same numbers as those of `mean`, as in the
            Accuracy Checker.
        target_out: name of the output or a regular expression for it; the first by default.
        cast_to_uint8: whether values are clipped to 0 and 255 and their fractions cut off.
    """

    reverse_channels: bool = False
    mean: Annotated[Numbers, BeforeValidator(_means)] = 0.0
    std: Annotated[Numbers, BeforeValidator(_stds)] = 255.0
    target_out: str | None = None
    cast_to_uint8: bool = True

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: `mean` or `std` is no number, `std` has a zero, or `target_out` is no regular expression.
        """
        _means(self.mean), _stds(self.std)
        try:
            re.compile(self.target_out or "")
        except re.error as error:
            raise ValueError(f"target_out: {self.target_out!r} is no regular expression: {error}") from None

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return an `Image` (H, W, C) of each sample, uint8 or float, over the model's input at any resolution.

        Raises:
            OutputError: no such output, no image a sample, or another number of channels than mean or std has.
        """
        images = rows(outputs.by_sample(self.target_out), len(batch.samples))
        return [self._image(_channels_last(image)) for image in images]

    def _image(self, output: Array) -> Image:
        values = as_float(output)
        values = values * self._fitting("std", self._std, values) + self._fitting("mean", self._mean, values)
        if self.cast_to_uint8:
            values = to_8_bit(values)
        values = np.ascontiguousarray(values[..., ::-1] if self.reverse_channels else values)
        return Image(values, "gray" if values.shape[2] == 1 else None, "input")

    @functools.cached_property
    def _mean(self) -> tuple[float, ...]:
        return _means(self.mean)

    @functools.cached_property
    def _std(self) -> tuple[float, ...]:
        return _stds(self.std)

    def _fitting(self, option: str, numbers: tuple[float, ...], image: Array) -> Array:
        channels = image.shape[2]
        if len(numbers) not in (1, channels):
            raise OutputError(
                f"{channels} channels found, {len(numbers)} expected by {option}, which has one a channel"
            )
        # In the output's own precision, as in the Accuracy Checker: another may fall short of a value and be cut off.
        return np.array(numbers, dtype=image.dtype)


def _channels_last(output: Array) -> Array:
    """Return the image of a sample, (C, H, W), (H, W, C) or (H, W), as (H, W, C)."""
    if output.ndim == 2:
        return output[..., np.newaxis]
    if output.ndim != 3:
        raise OutputError(f"{output.shape} found for a sample, an image (C, H, W) expected")
    is_last = output.shape[2] <= 4 < output.shape[0]
    return output if is_last else output.transpose(1, 2, 0)
