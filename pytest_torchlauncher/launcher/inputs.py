"""From arrays to the tensors that the module receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import Array

if TYPE_CHECKING:
    import torch

__all__ = ["to_tensor", "to_tensors"]


def to_tensor(data: Array | torch.Tensor, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """Return `data` as a tensor on `device`.

    Args:
        data: an array, of which a 4-D one is images (B, H, W, C), or a tensor.
        device: where the module is.
        dtype: the module's floating dtype.

    Returns:
        Arrays in `dtype`, images as (B, C, H, W), contiguous. Floating tensors in `dtype`, other tensors as they are.
    """
    import torch

    if isinstance(data, torch.Tensor):
        return data.to(device, dtype if data.is_floating_point() else None)
    tensor = torch.from_numpy(np.require(data, requirements=["C", "W"]))
    if tensor.ndim == 4:
        images = tensor.permute(0, 3, 1, 2)
        # A permuted view makes convolutions work in channels-last memory, on which the .view() of many modules fails.
        tensor = torch.empty(images.shape, dtype=dtype).copy_(images)
    return tensor.to(device, dtype)


def to_tensors(value: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """Return `value` with every array and tensor in it, below tuples, lists and mappings, put through `to_tensor`."""
    import torch

    if isinstance(value, np.ndarray | torch.Tensor):
        return to_tensor(value, device, dtype)
    if isinstance(value, Mapping):
        return {key: to_tensors(item, device, dtype) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [to_tensors(item, device, dtype) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value
