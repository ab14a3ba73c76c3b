"""Evidence of samples as arrays by name, without pickles: what a metric needs to be summarised over any samples.

The arrays are columns: a tree in JSON describes of what values are made, and each kind of leaf is one array over all
samples. So 50,000 samples take as many arrays as one.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import BaselineError
from ..types import Array

__all__ = ["pack_evidence", "unpack_evidence"]

_TREE = "tree"
_SCALARS = {bool: "bool", int: "int", float: "float"}
_PYTHON = {"bool": bool, "int": int, "float": float}


class _Unkept(Exception):
    """A value that cannot be kept."""


def pack_evidence(evidence: Sequence[Any]) -> dict[str, Array] | None:
    """Return arrays by name that hold the `evidence` of N samples.

    It may be made of numbers, text, None, arrays of numbers, tuples, lists, mappings by text or whole numbers, and
    dataclasses. None is returned where a part is something else, such as a tensor.
    """
    packer = _Packer()
    try:
        tree = packer.column(list(evidence))
    except (_Unkept, OverflowError):
        return None
    text = json.dumps({"n": len(evidence), "column": tree}, sort_keys=True).encode()
    return {_TREE: np.frombuffer(text, dtype=np.uint8), **packer.leaves}


def unpack_evidence(arrays: Mapping[str, Array]) -> list[Any]:
    """Return the evidence that `pack_evidence` gave, whatever smaller dtypes its arrays were stored in.

    Raises:
        BaselineError: an array is missing or damaged, or a class is not there any more.
    """
    try:
        tree = json.loads(arrays[_TREE].astype(np.uint8).tobytes())
        return _Unpacker(arrays).column(tree["column"], tree["n"])
    # What is damaged breaks wherever it is read.
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise BaselineError(f"stored evidence is damaged: {error!r}; run pytest --launcher-update") from None


class _Packer:
    """Makes leaves of columns; each method returns the node of the tree that describes its column."""

    def __init__(self) -> None:
        self.leaves: dict[str, Array] = {}

    def column(self, values: list[Any]) -> dict[str, Any]:
        """Return the node of `values`; those of several kinds are split by kind."""
        kinds = [_kind(value) for value in values]
        names = sorted(set(kinds))
        if len(names) <= 1:
            return self._uniform(names[0], values) if names else {"kind": "none"}
        index = {name: position for position, name in enumerate(names)}
        parts = [self._uniform(n, [v for v, k in zip(values, kinds, strict=True) if k == n]) for n in names]
        which = self._leaf(np.array([index[kind] for kind in kinds], dtype=np.int64))
        return {"kind": "mixed", "which": which, "parts": parts}

    def _uniform(self, kind: str, values: list[Any]) -> dict[str, Any]:
        name, _, detail = kind.partition(" ")
        if name == "none":
            return {"kind": "none"}
        if name == "scalar":
            return {"kind": "scalar", "type": detail, "leaf": self._leaf(np.array(values))}
        if name == "numpy":
            return {"kind": "numpy", "dtype": detail, "leaf": self._leaf(np.array(values, dtype=detail))}
        if name == "text":
            return {"kind": "text", **self._texts(values)}
        if name == "array":
            return self._arrays(detail, values)
        if name == "tuple":
            return self._tuple(values)
        if name == "list":
            return {"kind": "list", "lengths": self._lengths(values), "items": self.column(_flat(values))}
        if name == "mapping":
            keys, items = [list(value) for value in values], [list(value.values()) for value in values]
            lengths = self._lengths(values)
            return {
                "kind": name,
                "lengths": lengths,
                "keys": self.column(_flat(keys)),
                "items": self.column(_flat(items)),
            }
        fields = dataclasses.fields(values[0])
        parts = {field.name: self.column([getattr(value, field.name) for value in values]) for field in fields}
        return {"kind": "object", "class": detail, "fields": parts}

    def _tuple(self, values: list[Any]) -> dict[str, Any]:
        """Return the node of tuples: by position where all are as long, item by item otherwise."""
        sizes = {len(value) for value in values}
        if len(sizes) == 1 and (size := sizes.pop()) <= 8:
            return {"kind": "record", "parts": [self.column([value[at] for value in values]) for at in range(size)]}
        return {"kind": "tuple", "lengths": self._lengths(values), "items": self.column(_flat(values))}

    def _texts(self, values: list[str]) -> dict[str, str]:
        encoded = [value.encode(errors="surrogateescape") for value in values]
        return {"lengths": self._lengths(encoded), "leaf": self._leaf(np.frombuffer(b"".join(encoded), dtype=np.uint8))}

    def _arrays(self, detail: str, values: list[Array]) -> dict[str, Any]:
        dtype, ndim = detail.split()
        shapes = np.array([value.shape for value in values], dtype=np.int64).reshape(len(values), int(ndim))
        flat = np.concatenate([value.reshape(-1) for value in values])
        return {"kind": "array", "dtype": dtype, "shapes": self._leaf(shapes), "leaf": self._leaf(flat)}

    def _lengths(self, values: Sequence[Any]) -> str:
        return self._leaf(np.array([len(value) for value in values], dtype=np.int64))

    def _leaf(self, array: Array) -> str:
        if array.dtype.kind not in "biuf":
            raise _Unkept
        name = str(len(self.leaves))
        self.leaves[name] = array
        return name


class _Unpacker:
    """Makes columns of leaves."""

    def __init__(self, leaves: Mapping[str, Array]) -> None:
        self._leaves = leaves

    def column(self, node: Mapping[str, Any], n: int) -> list[Any]:
        """Return the `n` values that `node` describes."""
        kind = node["kind"]
        if kind == "none":
            return [None] * n
        if kind == "mixed":
            return self._mixed(node, n)
        if kind == "scalar":
            return [_PYTHON[node["type"]](value) for value in self._sized(node["leaf"], n).tolist()]
        if kind == "numpy":
            return list(self._sized(node["leaf"], n).astype(node["dtype"]))
        if kind == "text":
            content = self._leaves[node["leaf"]].astype(np.uint8).tobytes()
            return [content[start:end].decode(errors="surrogateescape") for start, end in self._spans(node, n, content)]
        if kind == "array":
            return self._arrays(node, n)
        if kind == "record":
            parts = [self.column(part, n) for part in node["parts"]]
            return list(zip(*parts, strict=True)) if parts else [()] * n
        if kind == "object":
            return self._objects(node, n)
        items = self.column(node["items"], int(self._leaves[node["lengths"]].sum()))
        spans = list(self._spans(node, n, items))
        if kind == "mapping":
            keys = self.column(node["keys"], len(items))
            return [dict(zip(keys[start:end], items[start:end], strict=True)) for start, end in spans]
        made = tuple if kind == "tuple" else list
        return [made(items[start:end]) for start, end in spans]

    def _mixed(self, node: Mapping[str, Any], n: int) -> list[Any]:
        which = self._sized(node["which"], n).astype(np.int64)
        parts = [iter(self.column(p, int((which == at).sum()))) for at, p in enumerate(node["parts"])]
        return [next(parts[at]) for at in which.tolist()]

    def _arrays(self, node: Mapping[str, Any], n: int) -> list[Array]:
        shapes = self._sized(node["shapes"], n).astype(np.int64).reshape(n, -1)
        flat = self._leaves[node["leaf"]].astype(node["dtype"])
        ends = np.cumsum(shapes.prod(axis=1)).tolist()
        if (ends[-1] if ends else 0) != len(flat):
            raise ValueError("an array is shorter than its shapes")
        starts = [0, *ends[:-1]]
        return [flat[s:e].reshape(shape) for s, e, shape in zip(starts, ends, shapes.tolist(), strict=True)]

    def _objects(self, node: Mapping[str, Any], n: int) -> list[Any]:
        cls = _class(node["class"])
        columns = {name: self.column(part, n) for name, part in node["fields"].items()}
        return [cls(**{name: column[at] for name, column in columns.items()}) for at in range(n)]

    def _spans(self, node: Mapping[str, Any], n: int, content: Sequence[Any]) -> Iterator[tuple[int, int]]:
        """Yield where each of `n` parts of `content` starts and ends."""
        ends = np.cumsum(self._sized(node["lengths"], n).astype(np.int64)).tolist()
        if (ends[-1] if ends else 0) != len(content):
            raise ValueError("parts differ in length from the whole")
        yield from zip([0, *ends[:-1]], ends, strict=True)

    def _sized(self, leaf: str, n: int) -> Array:
        array = self._leaves[leaf]
        if len(array) != n:
            raise ValueError(f"{len(array)} values found, {n} expected")
        return array


def _kind(value: Any) -> str:
    """Return of what kind `value` is, with what tells values of it apart."""
    if value is None:
        return "none"
    if type(value) in _SCALARS:
        return f"scalar {_SCALARS[type(value)]}"
    if isinstance(value, np.generic):
        return f"numpy {value.dtype.str}"
    if isinstance(value, np.ndarray):
        return f"array {value.dtype.str} {value.ndim}"
    if isinstance(value, str):
        return "text"
    if isinstance(value, tuple) and type(value) is tuple:
        return "tuple"
    if isinstance(value, list):
        return "list"
    if isinstance(value, Mapping):
        return "mapping"
    if dataclasses.is_dataclass(value) and all(field.init for field in dataclasses.fields(value)):
        return f"object {type(value).__module__}:{type(value).__qualname__}"
    raise _Unkept


def _class(name: str) -> Any:
    """Return the dataclass `name`; only a module that is loaded, or one of this package, is asked."""
    module, _, qualified = name.partition(":")
    if module.partition(".")[0] == __name__.partition(".")[0]:
        importlib.import_module(module)
    cls: Any = sys.modules[module]
    for part in qualified.split("."):
        cls = getattr(cls, part)
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{name} is no dataclass")
    return cls


def _flat(values: Sequence[Sequence[Any]]) -> list[Any]:
    return [item for value in values for item in value]
