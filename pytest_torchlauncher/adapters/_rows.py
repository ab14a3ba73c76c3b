"""The rows of an output, one a sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import OutputError
from ..types import Array

__all__ = ["batched", "rows"]


def rows(output: Array | tuple[Array, ...], batch: int) -> Sequence[Array]:
    """Return what `output` (B, …), or a tuple of B arrays, holds for each of `batch` samples.

    The output of a single sample may come without the axis of the batch.

    Raises:
        OutputError: it does not hold one row a sample.
    """
    if not isinstance(output, tuple) and batch == 1 and (not output.ndim or len(output) != 1):
        return [output]
    if not isinstance(output, tuple) and not output.ndim:
        raise OutputError(f"a single number for a batch of {batch} found, ({batch}, …) expected")
    if len(output) != batch:
        raise OutputError(f"{len(output)} rows for a batch of {batch} found, ({batch}, …) expected")
    return list(output)


def batched(output: Array, batch: int) -> Array:
    """Return what `output` holds for each of `batch` samples as (B, …), a single number a sample as (B, 1).

    The output of a single sample may come without the axis of the batch.

    Raises:
        OutputError: it does not hold one row a sample.
    """
    rows(output, batch)
    by_sample = output if output.ndim and len(output) == batch else output[np.newaxis]
    return by_sample.reshape(batch, -1) if by_sample.ndim == 1 else by_sample
