"""Evidence of samples as arrays by name, without pickles: what a metric needs to be summarised over any samples.

The arrays are columns: a tree in JSON describes of what values are made, and each kind of leaf is one array over all
samples. So 50,000 samples take as many arrays as one.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..errors import BaselineError
from ..types import Array

__all__ = ["pack_evidence", "unpack_evidence"]

_TREE = "tree"
_SCALARS = {"bool": np.bool_, "int": np.int64, "float": np.float64}
_BUILTIN: Mapping[Any, str] = {
    type(None): "none", bool: "scalar bool", int: "scalar int", float: "scalar float", str: "text", bytes: "bytes",
    tuple: "tuple", list: "list", dict: "mapping",
}  # fmt: skip


class _Unkept(Exception):
    """A value that cannot be kept."""


def pack_evidence(evidence: Sequence[Any]) -> dict[str, Array] | None:
    """Return arrays by name that hold the `evidence` of N samples.

    It may be made of None, numbers, text, bytes, arrays of numbers, tuples, lists, dicts, and dataclasses that are
    built of their fields. None is returned where a part is something else: a tensor, a subclass of these, a complex
    number or one of more than 64 bits.
    """
    packer = _Packer()
    try:
        tree = packer.column(evidence)
    except (_Unkept, OverflowError, RecursionError):
        return None
    text = json.dumps({"n": len(evidence), "column": tree}, sort_keys=True).encode()
    return {_TREE: np.frombuffer(text, dtype=np.uint8), **packer.leaves}


def unpack_evidence(arrays: Mapping[str, Array]) -> list[Any]:
    """Return the evidence that `pack_evidence` gave, whatever smaller dtypes its arrays were stored in.

    Raises:
        BaselineError: an array is missing or damaged, or a class is not there any more.
    """
    unpacker = _Unpacker(arrays)
    try:
        tree = json.loads(unpacker.leaf(_TREE).astype(np.uint8).tobytes())
        return unpacker.column(tree["column"], tree["n"])
    except BaselineError:
        raise
    # A damaged tree breaks wherever it is read, and classes refuse their fields with errors of their own.
    except Exception as error:
        raise _damaged(f"{type(error).__name__}: {error}") from None


class _Packer:
    """Makes leaves of columns; each method returns the node of the tree that describes its column."""

    def __init__(self) -> None:
        self.leaves: dict[str, Array] = {}

    def column(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return the node of `values`; those of several kinds are split by kind."""
        kinds = [_kind(value) for value in values]
        distinct = sorted(set(kinds), key=_name)
        if len(distinct) <= 1:
            return self._uniform(distinct[0], values) if distinct else {"kind": "none"}
        index = {kind: position for position, kind in enumerate(distinct)}
        parts = [self._uniform(one, [v for v, k in zip(values, kinds, strict=True) if k == one]) for one in distinct]
        which = self._leaf(np.array([index[kind] for kind in kinds], dtype=np.int64))
        return {"kind": "mixed", "which": which, "parts": parts}

    def _uniform(self, kind: Any, values: Sequence[Any]) -> dict[str, Any]:
        match _name(kind).split():
            case ["none"]:
                return {"kind": "none"}
            case ["scalar", name]:
                return {"kind": "scalar", "type": name, "leaf": self._leaf(np.array(values, dtype=_SCALARS[name]))}
            case ["numpy", dtype]:
                return {"kind": "numpy", "dtype": dtype, "leaf": self._leaf(np.array(values, dtype=dtype))}
            case ["text"]:
                return {"kind": "text", **self._bytes([value.encode(errors="surrogatepass") for value in values])}
            case ["bytes"]:
                return {"kind": "bytes", **self._bytes(values)}
            case ["array", dtype, ndim]:
                return self._arrays(dtype, int(ndim), values)
            case ["tuple"]:
                return self._tuples(values)
            case ["list"]:
                return {"kind": "list", **self._items(values)}
            case ["mapping"]:
                lengths, keys = self._lengths(values), self.column(_flat(values))
                items = self.column(_flat(value.values() for value in values))
                return {"kind": "mapping", "lengths": lengths, "keys": keys, "items": items}
            case [_, name] if _class(name) is kind:
                return self._objects(name, values)
        raise _Unkept

    def _bytes(self, values: Sequence[bytes]) -> dict[str, str]:
        lengths = self._lengths(values)
        return {"lengths": lengths, "leaf": self._leaf(np.frombuffer(b"".join(values), dtype=np.uint8))}

    def _arrays(self, dtype: str, ndim: int, values: Sequence[Array]) -> dict[str, Any]:
        shapes = np.array([value.shape for value in values], dtype=np.int64).reshape(len(values), ndim)
        flat = np.concatenate([value.reshape(-1) for value in values])
        return {"kind": "array", "dtype": dtype, "shapes": self._leaf(shapes), "leaf": self._leaf(flat)}

    def _tuples(self, values: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
        """Return the node of tuples: by position where all are as short, item by item otherwise."""
        sizes = {len(value) for value in values}
        if len(sizes) == 1 and (size := sizes.pop()) <= 8:
            return {"kind": "record", "parts": [self.column([value[at] for value in values]) for at in range(size)]}
        return {"kind": "tuple", **self._items(values)}

    def _items(self, values: Sequence[Sequence[Any]]) -> dict[str, Any]:
        return {"lengths": self._lengths(values), "items": self.column(_flat(values))}

    def _objects(self, name: str, values: Sequence[Any]) -> dict[str, Any]:
        fields = [field.name for field in dataclasses.fields(values[0])]
        # They differ where a field is derived, where more than fields is asked for, or in a constructor of its own.
        if set(inspect.signature(type(values[0])).parameters) != set(fields):
            raise _Unkept
        parts = {field: self.column([getattr(value, field) for value in values]) for field in fields}
        return {"kind": "object", "class": name, "fields": parts}

    def _lengths(self, values: Sequence[Any]) -> str:
        return self._leaf(np.array([len(value) for value in values], dtype=np.int64))

    def _leaf(self, array: Array) -> str:
        if not _is_kept(array.dtype):
            raise _Unkept
        name = str(len(self.leaves))
        self.leaves[name] = array
        return name


class _Unpacker:
    """Makes columns of leaves."""

    def __init__(self, leaves: Mapping[str, Array]) -> None:
        self._leaves = leaves

    def leaf(self, name: str) -> Array:
        """Return the array `name`.

        Raises:
            BaselineError: there is none.
        """
        if name not in self._leaves:
            raise _damaged(f"array {name!r} is missing")
        return self._leaves[name]

    def column(self, node: Mapping[str, Any], n: int) -> list[Any]:
        """Return the `n` values that `node` describes."""
        match node["kind"]:
            case "none":
                return [None] * n
            case "mixed":
                return self._mixed(node, n)
            case "scalar":
                values: list[Any] = self._numbers(node["leaf"], _SCALARS[node["type"]], n).tolist()
                return values
            case "numpy":
                return list(self._numbers(node["leaf"], node["dtype"], n))
            case "text":
                return [value.decode(errors="surrogatepass") for value in self._bytes(node, n)]
            case "bytes":
                return self._bytes(node, n)
            case "array":
                return self._arrays(node, n)
            case "record":
                parts = [self.column(part, n) for part in node["parts"]]
                return list(zip(*parts, strict=True)) if parts else [()] * n
            case "tuple":
                return [tuple(items) for items in self._items(node, n)]
            case "list":
                return self._items(node, n)
            case "mapping":
                keys = self._items({**node, "items": node["keys"]}, n)
                return [dict(zip(*pair, strict=True)) for pair in zip(keys, self._items(node, n), strict=True)]
            case "object":
                return self._objects(node, n)
        raise _damaged(f"the kind {node['kind']!r} is not known")

    def _mixed(self, node: Mapping[str, Any], n: int) -> list[Any]:
        which = self._numbers(node["which"], np.int64, n)
        parts = [iter(self.column(part, int((which == at).sum()))) for at, part in enumerate(node["parts"])]
        return [next(parts[at]) for at in which.tolist()]

    def _bytes(self, node: Mapping[str, Any], n: int) -> list[bytes]:
        lengths = self._lengths(node["lengths"], n)
        content = self._numbers(node["leaf"], np.uint8, int(lengths.sum())).tobytes()
        return [content[span] for span in _spans(lengths)]

    def _arrays(self, node: Mapping[str, Any], n: int) -> list[Array]:
        shapes = self._lengths(node["shapes"], n)
        sizes = shapes.prod(axis=1)
        flat = self._numbers(node["leaf"], node["dtype"], int(sizes.sum()))
        return [flat[span].reshape(shape) for span, shape in zip(_spans(sizes), shapes.tolist(), strict=True)]

    def _items(self, node: Mapping[str, Any], n: int) -> list[list[Any]]:
        lengths = self._lengths(node["lengths"], n)
        items = self.column(node["items"], int(lengths.sum()))
        return [items[span] for span in _spans(lengths)]

    def _objects(self, node: Mapping[str, Any], n: int) -> list[Any]:
        cls = _class(node["class"])
        if cls is None:
            what = f"the stored evidence is made of {node['class']}, and no such dataclass is loaded"
            raise BaselineError(f"{what}; put it back or run pytest --launcher-update")
        columns = [self.column(part, n) for part in node["fields"].values()]
        rows = zip(*columns, strict=True) if columns else [()] * n
        return [cls(**dict(zip(node["fields"], row, strict=True))) for row in rows]

    def _lengths(self, name: str, n: int) -> Array:
        lengths = self._numbers(name, np.int64, n)
        if (lengths < 0).any():
            raise _damaged(f"array {name!r} has lengths below 0")
        return lengths

    def _numbers(self, name: str, dtype: Any, n: int) -> Array:
        """Return the array `name` of `n` rows as it was before it was stored."""
        array, dtype = self.leaf(name), np.dtype(dtype)
        if len(array) != n:
            raise _damaged(f"array {name!r} has {len(array)} values, {n} expected")
        if not _is_kept(dtype) or (array.dtype.kind == "f" and dtype.kind != "f"):
            raise _damaged(f"array {name!r} is {array.dtype}, {dtype} expected")
        return array.astype(dtype)


def _kind(value: Any) -> Any:
    """Return what values of one column have in common: their type, or their dtype and, of arrays, number of axes."""
    if type(value) is np.ndarray:
        return value.dtype, value.ndim
    return (value.dtype,) if isinstance(value, np.generic) else type(value)


def _name(kind: Any) -> str:
    """Return the name of `kind` in the tree, with what tells it apart after a space."""
    if kind in _BUILTIN:
        return _BUILTIN[kind]
    if isinstance(kind, tuple):
        dtype, *ndim = kind
        return f"array {dtype.str} {ndim[0]}" if ndim else f"numpy {dtype.str}"
    return f"object {kind.__module__}:{kind.__qualname__}"


def _class(name: str) -> Any:
    """Return the dataclass `name`; only modules that are loaded, and those of this package, are asked."""
    module, _, qualified = name.partition(":")
    try:
        if module.partition(".")[0] == __name__.partition(".")[0]:
            importlib.import_module(module)
        found: Any = sys.modules[module]
        for part in qualified.split("."):
            found = getattr(found, part)
    except (ImportError, KeyError, AttributeError):
        return None
    return found if isinstance(found, type) and dataclasses.is_dataclass(found) else None


def _is_kept(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "biuf" and dtype.itemsize <= 8


def _spans(lengths: Array) -> list[slice]:
    """Return where each part of a whole lies, by their lengths."""
    ends = lengths.cumsum().tolist()
    return list(map(slice, [0, *ends[:-1]], ends))


def _flat(values: Iterable[Iterable[Any]]) -> list[Any]:
    return list(chain.from_iterable(values))


def _damaged(what: str) -> BaselineError:
    return BaselineError(f"the stored evidence is damaged: {what}; run pytest --launcher-update")
