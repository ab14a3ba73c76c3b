"""Samples that are sequences: their steps, and the state that LSTM_INPUT carries from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import OutputError
from ..input_spec import InputSpec
from ..types import Sample
from .outputs import Tensors
from .wording import listed

if TYPE_CHECKING:
    import torch

__all__ = ["carried", "steps_of"]


def steps_of(sample: Sample) -> Iterator[Sample]:
    """Yield the steps of `sample`: the parts of a tuple in their order, else the sample itself."""
    if not isinstance(sample.data, tuple):
        yield sample
        return
    for data in sample.data:
        yield replace(sample, data=data)


def carried(outputs: Tensors, inputs: Iterable[InputSpec]) -> dict[str, torch.Tensor]:
    """Return the state that `outputs` of a step give each LSTM_INPUT among `inputs` of the next, by its name.

    Raises:
        OutputError: an output that an input names is not there, or is a list.
    """
    return {entry.name: _output(outputs, entry) for entry in inputs if entry.type == "LSTM_INPUT"}


def _output(outputs: Tensors, entry: InputSpec) -> torch.Tensor:
    found = outputs.get(entry.value)
    if found is None or isinstance(found, tuple):
        message = f"inputs: {entry.name}: no output is called {entry.value!r}; there are {listed(outputs)}"
        raise OutputError(message, entry.where["value"])
    return found
