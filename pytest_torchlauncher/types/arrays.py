"""Names for arrays and sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    from .levels import Levels

__all__ = ["Array", "Color", "Data", "Frame", "Region", "Size"]

Array: TypeAlias = npt.NDArray[Any]
Data: TypeAlias = "Array | Levels | torch.Tensor | tuple[Data, ...] | Mapping[str, Data]"
"""What a sample holds: an image or another array, a tensor, or several of them by name or position.

After preprocessing an image may be `Levels`."""
Color: TypeAlias = Literal["bgr", "rgb", "gray"]
Size: TypeAlias = tuple[int, int]
"""Height and width, px."""
Frame: TypeAlias = Literal["original", "input", "normalized"]
"""What coordinates refer to: the original image in px, the model's input in px, or the input's sides as 1."""
Region: TypeAlias = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max, px of the original image."""
