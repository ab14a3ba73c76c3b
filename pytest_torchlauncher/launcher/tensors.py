"""From arrays to tensors: layout, dtype, memory format and the way to the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..opencv import opencv
from ..types import Array, Levels

if TYPE_CHECKING:
    import torch

__all__ = ["Converter", "floating_dtype"]

_SOURCES = {1: "N", 2: "NC", 3: "NCH", 4: "NHWC", 5: "NDHWC"}
"""How a batch of arrays lies, by its number of axes."""


def floating_dtype(module: Any) -> torch.dtype:
    """Return the dtype of the first floating parameter or buffer of `module`, float32 without one."""
    import torch

    tensors = [*module.parameters(), *module.buffers()]
    return next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), torch.float32)


@dataclass(frozen=True)
class Converter:
    """Makes tensors on `device`; `dtype` is the module's floating one.

    With `channels_last`, images stay in the memory they came in, seen as (B, C, H, W).
    """

    device: torch.device
    dtype: torch.dtype
    channels_last: bool = False

    def array(self, data: Array | Levels, layout: str = "NCHW", dtype: torch.dtype | None = None) -> torch.Tensor:
        """Return `data` on the device in `layout` and `dtype`, the module's by default.

        Args:
            data: (B, H, W, C), (B, D, H, W, C), (B, C, H), (B, C) or (B,), or (H, W, C) for a layout without N. Of
                another number of axes than `layout` it keeps its own order.
            layout: one letter an axis.
            dtype: values are converted as numpy's astype does.
        """
        import torch

        dtype = dtype or self.dtype
        if isinstance(data, Levels):
            source = self._looked_up(data, dtype)
        else:
            source = torch.from_numpy(np.require(data, requirements=["C", "W"]))
            if source.element_size() > dtype.itemsize:  # the fewer bytes go to the device
                source = source.to(dtype)
            source = self.placed(source)
        view = source.permute(_order(layout, source.ndim))
        if self.channels_last:
            return view.to(dtype)
        # A permuted view makes convolutions work in channels-last memory, on which the .view() of many modules fails.
        return torch.empty(view.shape, dtype=dtype, device=view.device).copy_(view)

    def _looked_up(self, data: Levels, dtype: torch.dtype) -> torch.Tensor:
        """Return the numbers of `data` on the device in `dtype`; only bytes, and the table, go there."""
        import torch

        table = torch.from_numpy(np.require(data.table, requirements=["C", "W"])).to(dtype)
        if self.device.type == "cpu" and dtype in (torch.float32, torch.float64):
            return torch.from_numpy(_looked_up_by_opencv(data.levels, table.numpy()))
        levels = self.placed(torch.from_numpy(np.require(data.levels, requirements=["C", "W"])))
        return self.placed(table)[levels.long(), torch.arange(data.shape[-1], device=self.device)]

    def tensor(self, data: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
        """Return `data` on the device, as it stands; a floating one in the module's dtype, any in `dtype` if given."""
        return self.placed(data).to(dtype or (self.dtype if data.is_floating_point() else data.dtype))

    def placed(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return `tensor` on the device; copies to CUDA do not wait, which takes pinned memory."""
        if self.device.type == "cuda" and tensor.device.type == "cpu":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    def structure(self, value: Any) -> Any:
        """Return `value` with every array and tensor in it, below tuples, lists and mappings, as a tensor.

        Arrays of images (B, H, W, C) become (B, C, H, W) and floats the module's dtype; other values stay.
        """
        import torch

        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if isinstance(value, Levels):
            return self.array(value)
        if isinstance(value, np.ndarray):
            is_data = value.ndim == 4 or np.issubdtype(value.dtype, np.floating)
            return self.array(value) if is_data else self.placed(torch.from_numpy(np.require(value, requirements="W")))
        if isinstance(value, Mapping):
            return {key: self.structure(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            items = [self.structure(item) for item in value]
            return tuple(items) if isinstance(value, tuple) else items
        return value


def _looked_up_by_opencv(levels: Array, table: Array) -> Array:
    """Return ``table[levels[..., c], c]`` for `levels` (…, W, C) and `table` (256, C)."""
    cv2 = opencv()

    width, channels = levels.shape[-2:]
    # Six times as fast as numpy's indexing.
    rows = np.ascontiguousarray(levels).reshape(-1, width, channels)
    numbers: Array = cv2.LUT(rows, table[np.newaxis]).reshape(levels.shape)
    return numbers


def _order(layout: str, axes: int) -> tuple[int, ...]:
    """Return the axes of the source in the order of `layout`, unchanged where it has another number of them."""
    source = _SOURCES.get(axes, "") if "N" in layout else "HWC"
    letters = layout.replace("S", "C")
    if len(letters) != axes or set(letters) != set(source):
        return tuple(range(axes))
    return tuple(source.index(letter) for letter in letters)
