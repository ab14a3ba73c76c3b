"""Images that stay bytes on their way to the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import Array

__all__ = ["Levels"]


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """An image of bytes, and the number that each byte stands for: ``table[levels[..., c], c]``.

    A step on every value alone, such as a normalization, then needs 256 values a channel, and a sample stays an
    eighth of what it is in float64. ``numpy.asarray`` gives the numbers.

    Args:
        levels: (…, H, W, C) uint8.
        table: (256, C), of the dtype that the numbers have.
    """

    levels: Array
    table: Array

    @classmethod
    def of(cls, image: Array) -> Levels:
        """Return the uint8 image (H, W, C), each level of which stands for itself."""
        return cls(image, _identity(image.shape[-1]))

    @classmethod
    def stacked(cls, images: Sequence[Levels]) -> Levels | Array:
        """Return images of one shape as a batch (B, H, W, C), its numbers where the tables are not the same."""
        table = images[0].table
        if all(image.table is table or np.array_equal(image.table, table) for image in images):
            return cls(np.stack([image.levels for image in images]), table)
        return np.stack([np.asarray(image) for image in images])

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the numbers."""
        return self.levels.shape

    @property
    def ndim(self) -> int:
        """How many axes the numbers have."""
        return self.levels.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the numbers."""
        return self.table.dtype

    @property
    def are_bytes(self) -> bool:
        """Whether every level stands for itself, as a uint8."""
        return self.dtype == np.uint8 and bool((self.table == _identity(1)).all())

    def astype(self, dtype: npt.DTypeLike) -> Levels:
        """Return the same image with numbers of `dtype`."""
        return Levels(self.levels, self.table.astype(dtype))

    def level_of(self, numbers: Array) -> Array | None:
        """Return the levels (C,) that stand for `numbers`, (C,) or (1,); None where one has none."""
        stand = self.table == numbers
        return stand.argmax(axis=0).astype(np.uint8) if stand.any(axis=0).all() else None

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Return the numbers; they are always a new array.

        Raises:
            ValueError: no copy is to be made.
        """
        if copy is False:
            raise ValueError("the numbers of Levels are made when they are asked for; allow a copy")
        numbers = self.levels.copy() if self.are_bytes else self.table[self.levels, np.arange(self.shape[-1])]
        return numbers if dtype is None else numbers.astype(dtype, copy=False)


def _identity(channels: int) -> Array:
    return np.broadcast_to(np.arange(256, dtype=np.uint8)[:, np.newaxis], (256, channels))
