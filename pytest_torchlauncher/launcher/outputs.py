"""From what the module returned to named arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..errors import NonFiniteError, OutputError
from ..types import Array, Outputs
from .wording import described

if TYPE_CHECKING:
    import torch

__all__ = ["Tensors", "check_finite", "flatten", "has_entry_by_sample", "join", "stack", "to_arrays"]


Tensors: TypeAlias = "dict[str, torch.Tensor | tuple[torch.Tensor, ...]]"
"""Named outputs: tensors (B, …), or where the module returns a list with an entry a sample, tuples of B tensors."""


def has_entry_by_sample(raw: Any, output_names: Sequence[str], batch: int, *, lists: bool = False) -> bool:
    """Return whether `raw`, what a module returned for `batch` samples, is a list with an entry for each of them.

    That is a list of `batch` mappings with the same keys, as detection models return it, or of `batch` tensors. Where
    every tensor in it has the axis of the batch, the list has an entry an output instead, and so has one whose members
    `output_names` name.

    Args:
        raw: what the module returned.
        output_names: as in the launcher file.
        batch: number of samples.
        lists: whether the module was given a list with a tensor a sample; mappings then are one a sample.
    """
    if not isinstance(raw, list) or len(raw) != batch:
        return False
    if all(map(_has_names, raw)):
        return _are_alike(raw, output_names) and (lists or batch == 1 or not _have_the_batch(raw, batch))
    return all(map(_is_tensor, raw)) and len(output_names) < 2 and not _have_the_batch(raw, batch)


def flatten(raw: Any, output_names: Sequence[str] = (), *, by_sample: bool = False) -> Tensors:
    """Return the tensors in `raw` by name.

    A lone tensor is ``output``, or the first of `output_names`. Members of a tuple or list take `output_names` in
    order, the others are ``output_<i>``. Members of mappings and fields of dataclasses keep their names; those in
    `output_names` come first. Nested containers give dotted names (``output_1.boxes``); what holds no tensor in
    mappings and dataclasses is left out.

    Args:
        raw: what the module returned.
        output_names: as in the launcher file.
        by_sample: whether `raw` is a list with an entry a sample, see `has_entry_by_sample`.

    Raises:
        OutputError: a member is no tensor, there is none at all, one of `output_names` is not among them, or two have
            one name.
    """
    if by_sample:
        rows = [_named(row, output_names) for row in raw]
        if len({tuple(row) for row in rows}) > 1:
            raise OutputError("the samples have outputs of different names; the same for each expected")
        tensors: Tensors = {name: tuple(row[name] for row in rows) for name in rows[0]}
    else:
        tensors = dict(_named(raw, output_names))
    _check_names(tensors, output_names)
    return tensors


def _named(raw: Any, output_names: Sequence[str]) -> dict[str, torch.Tensor]:
    members = _members(raw)
    if members is None:
        named: Iterable[tuple[str, Any]] = [(next(iter(output_names), "output"), raw)]
    elif _has_names(raw):
        kept = [(name, value) for name, value in members if _may_hold_tensors(value)]
        named = sorted(kept, key=lambda member: _rank(member[0], output_names))
    else:
        names = [*output_names, *(f"output_{i}" for i in range(len(output_names), len(members)))]
        named = [(name, value) for name, (_, value) in zip(names, members, strict=False)]
    leaves = [leaf for head, value in named for leaf in _leaves(head, value)]
    names = [name for name, _ in leaves]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise OutputError(f"two outputs are called {twice!r}; choose other output_names")
    return dict(leaves)


def _are_alike(members: Sequence[Any], output_names: Sequence[str]) -> bool:
    """Return whether `members`, mappings or dataclasses, have the same names, which `output_names` do not replace."""
    names = {tuple(name for name, _ in _members(member) or ()) for member in members}
    own = {wanted.partition(".")[0] for wanted in output_names}
    return len(names) == 1 and own <= set(names.pop())


def _have_the_batch(raw: Any, batch: int) -> bool:
    """Return whether every tensor in `raw` has `batch` as its first size."""
    if _is_tensor(raw):
        return bool(raw.ndim) and len(raw) == batch
    return all(_have_the_batch(value, batch) for _, value in _members(raw) or () if _may_hold_tensors(value))


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
    kept = [(key, item) for key, item in members if not _has_names(value) or _may_hold_tensors(item)]
    return [leaf for key, item in kept for leaf in _leaves(f"{name}.{key}", item)]


def _may_hold_tensors(value: Any) -> bool:
    """Return whether `value` is a tensor or a container of nothing else."""
    members = _members(value)
    if members is None:
        return _is_tensor(value)
    kept = [item for _, item in members if item is not None]
    return _has_names(value) or all(map(_may_hold_tensors, kept))


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _check_names(tensors: Tensors, output_names: Sequence[str]) -> None:
    if not tensors:
        raise OutputError("the module returned no tensor; let forward return one, or a tuple, list or mapping of them")
    absent = [n for n in output_names if not any(f"{name}.".startswith(f"{n}.") for name in tensors)]
    if absent:
        first = {name: tensor[0] if isinstance(tensor, tuple) else tensor for name, tensor in tensors.items()}
        returned = ", ".join(f"{name} {described(tensor)}" for name, tensor in first.items())
        raise OutputError(f"there is no output for {', '.join(map(repr, absent))}; the module returned {returned}")


def to_arrays(tensors: Tensors) -> Outputs:
    """Return copies of `tensors` as arrays of their shapes and dtypes; floats of less than 32 bits become float32.

    They are copies since a module may use its memory again in the next call.
    """
    return Outputs({n: tuple(map(_array, t)) if isinstance(t, tuple) else _array(t) for n, t in tensors.items()})


def _array(tensor: torch.Tensor) -> Array:
    import torch

    dense = tensor if tensor.layout == torch.strided else tensor.to_dense()
    is_narrow = dense.is_floating_point() and dense.itemsize < 4
    array: Array = (dense.float() if is_narrow else dense).to("cpu", copy=True).numpy(force=True)
    return array


def join(parts: Sequence[Outputs], sizes: Sequence[int]) -> Outputs:
    """Return the outputs of consecutive parts of a batch as those of the whole.

    Args:
        parts: outputs by part.
        sizes: samples by part.

    Raises:
        OutputError: an output has no axis of the batch, and differs between the parts.
    """
    if len(parts) == 1:
        return parts[0]
    return Outputs({name: _joined(name, [part[name] for part in parts], sizes) for name in parts[0]})


def _joined(name: str, pieces: Sequence[Array | tuple[Array, ...]], sizes: Sequence[int]) -> Array | tuple[Array, ...]:
    if isinstance(pieces[0], tuple):
        return tuple(array for piece in pieces for array in piece)
    arrays = [piece for piece in pieces if not isinstance(piece, tuple)]
    if all(array.ndim and len(array) == size for array, size in zip(arrays, sizes, strict=True)):
        return np.concatenate(arrays)
    if all(np.array_equal(array, arrays[0], equal_nan=array.dtype.kind in "fc") for array in arrays):
        return arrays[0]
    raise OutputError(
        f"{name} {arrays[0].shape} is of a batch as a whole, which does not fit in memory; "
        f"set batch: {sizes[0]}, or feed constants with per_sample"
    )


def stack(steps: Sequence[Outputs]) -> Outputs:
    """Return the outputs (1, …) of a sequence's T steps as (1, T, …); lists of outputs as their steps follow."""
    return Outputs({name: _stacked([step[name] for step in steps]) for name in steps[0]})


def _stacked(steps: Sequence[Array | tuple[Array, ...]]) -> Array | tuple[Array, ...]:
    lists = [step for step in steps if isinstance(step, tuple)]
    if lists:
        return tuple(np.concatenate(pieces) for pieces in zip(*lists, strict=True))
    return np.stack([np.asarray(step) for step in steps], axis=1)


def check_finite(outputs: Outputs, identifiers: Sequence[str]) -> None:
    """Check that no floating output has NaN or infinity.

    Args:
        outputs: of one batch; an output whose first size is not that of the batch counts for its first sample.
        identifiers: of the batch's samples, (B,).

    Raises:
        NonFiniteError: naming the first sample that has one; NaN before infinity.
    """
    bad = [
        (row, name)
        for name, output in outputs.items()
        if not all(map(_is_finite, output if isinstance(output, tuple) else (output,)))
        for row, values in enumerate(_rows(output, len(identifiers)))
        if not _is_finite(values)
    ]
    if bad:
        row, name = min(bad, key=lambda found: found[0])
        values = _rows(outputs[name], len(identifiers))[row]
        raise NonFiniteError("NaN" if np.isnan(values).any() else "infinity", name, identifiers[row])


def _is_finite(values: Array) -> bool:
    return not np.issubdtype(values.dtype, np.inexact) or bool(np.isfinite(values).all())


def _rows(output: Array | tuple[Array, ...], batch: int) -> Sequence[Array]:
    """Return the values of each sample; all in one row if the first size is not that of the batch."""
    if isinstance(output, tuple):
        return output
    return list(output) if output.ndim and len(output) == batch else [output]
