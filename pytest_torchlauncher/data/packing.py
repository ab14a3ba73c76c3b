"""Samples as bytes, arrays as they lie in memory: reading them back copies nothing."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..types import Sample

__all__ = ["name_of", "packed", "unpacked"]

_ALIGNMENT = 64
"""Bytes; what the arrays in the package begin at a multiple of."""


def packed(samples: Sequence[Sample]) -> bytes:
    """Return `samples` as bytes.

    Raises:
        Exception: whatever an annotation raises that cannot be pickled.
    """
    buffers: list[pickle.PickleBuffer] = []
    head = io.BytesIO()
    _Pickler(head, protocol=5, buffer_callback=buffers.append).dump(list(samples))
    views = [buffer.raw() for buffer in buffers]
    sizes = [head.tell(), *(view.nbytes for view in views)]
    out = bytearray(struct.pack(f"<{len(sizes) + 1}Q", len(sizes), *sizes))
    for part in (head.getbuffer(), *views):
        out += bytes(-len(out) % _ALIGNMENT)
        out += part
    return bytes(out)


def unpacked(package: bytearray | memoryview) -> list[Sample]:
    """Return the samples of `package`, which `packed` made; their arrays lie in it."""
    view = memoryview(package)
    (count,) = struct.unpack_from("<Q", view)
    parts, place = [], 8 * (count + 1)
    for size in struct.unpack_from(f"<{count}Q", view, 8):
        place += -place % _ALIGNMENT
        parts.append(view[place : place + size])
        place += size
    samples: list[Sample] = pickle.loads(parts[0], buffers=parts[1:])
    return samples


def name_of(package: bytes | memoryview) -> str:
    """Return the SHA-256 of `package`, by which it is found and known to be whole."""
    return hashlib.sha256(package).hexdigest()


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """Put plain tensors beside the pickle, as arrays; torch would copy them into it."""
        if type(value).__module__ != "torch" or type(value).__name__ != "Tensor":
            return NotImplemented
        try:
            return _tensor, (value.numpy(),)
        except (TypeError, RuntimeError):  # numpy knows no such dtype or device
            return NotImplemented


def _tensor(array: np.ndarray[Any, Any]) -> Any:
    import torch

    return torch.from_numpy(array.copy())
