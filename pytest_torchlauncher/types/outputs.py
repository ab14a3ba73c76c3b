"""The named raw outputs of a model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from ..errors import OutputError
from .arrays import Array

__all__ = ["Outputs"]


class Outputs(Mapping[str, "Array | tuple[Array, ...]"]):
    """The named raw outputs of one batch, in the module's order.

    Each is an array (B, …), or a tuple of B arrays where the module returns a list with an entry a sample.
    """

    def __init__(self, arrays: Mapping[str, Array | tuple[Array, ...]]) -> None:
        self._arrays = dict(arrays)

    def __getitem__(self, name: str) -> Array | tuple[Array, ...]:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def select(self, pattern: str | None = None) -> Array:
        """Return the output named `pattern` or matched by it as a regular expression from the start; None: the first.

        Raises:
            OutputError: no output has that name; the message lists those there are. Or its shape is another for each
                sample.
        """
        name = self._name(pattern)
        output = self._arrays[name]
        if not isinstance(output, tuple):
            return output
        if len({array.shape for array in output}) > 1:
            raise OutputError(f"{name} has another shape for each sample; the module returned {self.describe()}")
        return np.stack(output)

    def by_sample(self, pattern: str | None = None) -> tuple[Array, ...]:
        """Return the output that `select` chooses as one array a sample, whatever their shapes.

        Raises:
            OutputError: no output has that name.
        """
        return tuple(self._arrays[self._name(pattern)])

    def _name(self, pattern: str | None) -> str:
        if pattern is None:
            return next(iter(self._arrays))
        if pattern in self._arrays:
            return pattern
        for name in self._arrays:
            if re.match(pattern, name):
                return name
        raise OutputError(f"no output is named {pattern!r}; the module returned {self.describe()}")

    def describe(self) -> str:
        """Return the outputs in words: names, shapes and dtypes."""
        return ", ".join(f"{name} {_described(output)}" for name, output in self._arrays.items())


def _described(output: Array | tuple[Array, ...]) -> str:
    if isinstance(output, tuple):
        return f"a list of {len(output)}, the first {_described(output[0])}"
    return f"{tuple(output.shape)} {output.dtype}"
