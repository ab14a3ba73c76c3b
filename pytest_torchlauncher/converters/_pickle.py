"""Python pickles of plain data, read without running anything they name.

A pickle may name any function to be called while it is read. Here only the names by which numpy's arrays are pickled
mean something, and they build arrays from bytes and a numeric dtype by functions of this module: numpy's own would
take memory addresses for objects.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, display_path
from ..types import Array
from ._files import read_bytes

__all__ = ["read_pickle"]


def read_pickle(path: Path, option: str) -> Mapping[str, Any]:
    """Return the mapping that the pickle `path` holds: keys as text, values of builtin types or arrays.

    Raises:
        MissingDataError: it is not there.
        DataError: it is no pickle of a mapping, or names a class or function that plain data does not need.
    """
    content = read_bytes(path, option)
    try:
        # Pickles of Python 2 hold bytes as text; latin1 is the one encoding that takes all of them.
        loaded = _Unpickler(io.BytesIO(content), encoding="latin1").load()
    except _RefusedError as error:
        raise DataError(f"{option} {display_path(path)}: refused: it names {error}, plain data expected") from None
    except Exception as error:
        raise DataError(f"{option} {display_path(path)} cannot be read as a pickle: {error}") from error
    if not isinstance(loaded, Mapping):
        raise DataError(f"{option} {display_path(path)}: a {type(loaded).__name__} found, a mapping expected")
    return {text(key): value.array if isinstance(value, _Array) else value for key, value in loaded.items()}


def text(value: Any) -> str:
    """Return `value` as text: the strings of Python 2 may come as bytes."""
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


class _RefusedError(Exception):
    """A pickle names something that is not allowed; the argument is its dotted name."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for ``module.name`` here, whatever the installed package calls it."""
        try:
            return _ALLOWED[module.replace("numpy.core.", "numpy._core."), name]
        except KeyError:
            raise _RefusedError(f"{module}.{name}") from None


class _Dtype:
    """Stands for `numpy.dtype`: a type code, then the byte order as state."""

    def __init__(self, code: str, *_: Any) -> None:
        self.dtype = np.dtype(text(code))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder(text(state[1]))  # type: ignore[arg-type]


@dataclass
class _Array:
    """Stands for an array that numpy creates empty and fills by its state."""

    array: Array

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran_order, content = state
        self.array = _from_buffer(_bytes(content), dtype, shape, "F" if fortran_order else "C")


def _empty_array(*_: Any) -> _Array:
    return _Array(np.empty(0))


def _from_buffer(content: Any, dtype: _Dtype, shape: Any, order: Any) -> Array:
    return np.frombuffer(content, dtype.dtype).reshape(shape, order=order)


def _scalar(dtype: _Dtype, content: Any) -> Any:
    return np.frombuffer(_bytes(content), dtype.dtype)[0].item()


def _bytes(content: Any, *_: Any) -> bytes:
    return content.encode("latin1") if isinstance(content, str) else content


_ALLOWED: Mapping[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): None,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _bytes,
}
