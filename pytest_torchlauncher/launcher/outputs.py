"""From what the module returned to named arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import NonFiniteError, OutputError
from ..types import Array, Outputs
from .wording import described

if TYPE_CHECKING:
    import torch

__all__ = ["check_finite", "flatten", "to_arrays"]


def flatten(raw: Any, output_names: Sequence[str] = ()) -> dict[str, torch.Tensor]:
    """Return the tensors in `raw` by name.

    A lone tensor is ``output``, or the first of `output_names`. Members of a tuple or list take `output_names` in
    order, the others are ``output_<i>``. Members of mappings and fields of dataclasses keep their names; those in
    `output_names` come first. Nested containers give dotted names (``output_1.boxes``); None is left out.

    Raises:
        OutputError: a member is no tensor, there is none at all, or one of `output_names` is not among them.
    """
    members = _members(raw)
    if members is None:
        named: Iterable[tuple[str, Any]] = [(next(iter(output_names), "output"), raw)]
    elif _has_names(raw):
        named = sorted(members, key=lambda member: _rank(member[0], output_names))
    else:
        names = [*output_names, *(f"output_{i}" for i in range(len(output_names), len(members)))]
        named = [(name, value) for name, (_, value) in zip(names, members, strict=False)]
    tensors = {name: tensor for head, value in named for name, tensor in _leaves(head, value)}
    _check_names(tensors, output_names)
    return tensors


def _has_names(value: Any) -> bool:
    return isinstance(value, Mapping) or (is_dataclass(value) and not isinstance(value, type))


def _members(value: Any) -> list[tuple[str, Any]] | None:
    """Return the parts of a container with their names or positions; None if `value` is none."""
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if _has_names(value):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, list | tuple):
        return [(str(index), item) for index, item in enumerate(value)]
    return None


def _rank(name: str, output_names: Sequence[str]) -> int:
    ranks = (rank for rank, wanted in enumerate(output_names) if name == wanted or wanted.startswith(f"{name}."))
    return next(ranks, len(output_names))


def _leaves(name: str, value: Any) -> list[tuple[str, torch.Tensor]]:
    import torch

    if value is None:
        return []
    if isinstance(value, torch.Tensor):
        return [(name, value)]
    members = _members(value)
    if members is None:
        raise OutputError(f"{name!r} is of type {type(value).__name__}; a tensor expected")
    return [leaf for key, item in members for leaf in _leaves(f"{name}.{key}", item)]


def _check_names(tensors: Mapping[str, torch.Tensor], output_names: Sequence[str]) -> None:
    if not tensors:
        raise OutputError("the module returned no tensor")
    absent = [n for n in output_names if not any(f"{name}.".startswith(f"{n}.") for name in tensors)]
    if absent:
        returned = ", ".join(f"{name} {described(tensor)}" for name, tensor in tensors.items())
        raise OutputError(f"there is no output for {', '.join(map(repr, absent))}; the module returned {returned}")


def to_arrays(tensors: Mapping[str, torch.Tensor]) -> Outputs:
    """Return `tensors` as arrays of their shapes and dtypes; float16 and bfloat16 become float32."""
    import torch

    half = (torch.float16, torch.bfloat16)
    return Outputs({name: (t.float() if t.dtype in half else t).numpy(force=True) for name, t in tensors.items()})


def check_finite(outputs: Outputs, identifiers: Sequence[str]) -> None:
    """Check that no floating output has NaN or infinity.

    Args:
        outputs: of one batch; an output whose first size is not that of the batch counts for its first sample.
        identifiers: of the batch's samples, (B,).

    Raises:
        NonFiniteError: naming the first sample that has one; NaN before infinity.
    """
    bad = [
        (int(rows[0]), name)
        for name, array in outputs.items()
        if np.issubdtype(array.dtype, np.inexact) and len(rows := _bad_rows(array, len(identifiers)))
    ]
    if bad:
        row, name = min(bad, key=lambda found: found[0])
        values = _rows(outputs[name], len(identifiers))[row]
        raise NonFiniteError("NaN" if np.isnan(values).any() else "infinity", name, identifiers[row])


def _rows(array: Array, batch: int) -> Array:
    """Return `array` as (B, N); as (1, N) if its first size is not that of the batch."""
    rows = batch if array.ndim and len(array) == batch else 1
    return array.reshape(rows, -1) if array.size else array.reshape(rows, 0)


def _bad_rows(array: Array, batch: int) -> Array:
    return np.flatnonzero(~np.isfinite(_rows(array, batch)).all(axis=1))
