"""The hash by which data that has no file is recognised."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["digest_of"]


def digest_of(data: Any) -> str:
    """Return the SHA-256 over dtype, shape and bytes of an array or tensor, or of all in a tuple or mapping."""
    digest = hashlib.sha256()
    _update(digest, data)
    return digest.hexdigest()


def _update(digest: Any, data: Any) -> None:
    if isinstance(data, Mapping):
        for name, part in data.items():
            digest.update(f"{name}: ".encode())
            _update(digest, part)
    elif isinstance(data, tuple):
        for part in data:
            digest.update(b", ")
            _update(digest, part)
    else:
        digest.update(f"{str(data.dtype).removeprefix('torch.')} {tuple(data.shape)}".encode())
        digest.update(_bytes(data))


def _bytes(data: Any) -> memoryview:
    if isinstance(data, np.ndarray):
        return np.ascontiguousarray(data).data
    import torch

    # Not every dtype of torch is one of numpy; the bytes of all can be read.
    values: memoryview = data.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
    return values
