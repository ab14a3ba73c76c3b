"""Transforms of torchvision, or any callable that takes a PIL image."""

from __future__ import annotations

import functools
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

import numpy as np

from ..errors import did_you_mean
from ..kinds import Preprocessor
from ..registry import register
from ..types import Geometry, Sample

__all__ = ["Torchvision"]


@register("torchvision")
@dataclass(frozen=True, kw_only=True)
class Torchvision(Preprocessor):
    """Runs a model's own transforms, so that numbers equal those of the torchvision pipeline.

    Args:
        transforms: dotted path of a transform, or of a class or function that builds one without arguments:
            ``torchvision.models.ResNet18_Weights.DEFAULT.transforms``.
    """

    transforms: str

    def __post_init__(self) -> None:
        """Check that `transforms` is a dotted path; it is imported when the first sample comes.

        Raises:
            ValueError: it is none.
        """
        if not all(part.isidentifier() for part in self.transforms.split(".")):
            raise ValueError(
                f"transforms: {self.transforms!r} found, a dotted path such as package.module.name expected"
            )

    @property
    def on_threads(self) -> bool:
        """Whether the transform is that of a model of torchvision, which draws no random numbers."""
        return self.transforms.startswith("torchvision.models.")

    def apply(self, sample: Sample) -> Sample:
        """Return what the transform makes of the image as PIL image in RGB: a tensor, or an image (H, W, 3) uint8.

        A tensor, which an earlier transform made, is given to the transform as it stands.

        Raises:
            ValueError: there is no such transform, the data is no image of uint8, or the result neither of both.
        """
        import torch
        from PIL import Image

        is_tensor = isinstance(sample.data, torch.Tensor)
        result = self._transform(sample.data if is_tensor else _pil_image(sample))
        if isinstance(result, torch.Tensor):
            return replace(sample, data=result, color=None, geometry=self._geometry(sample, result.shape[-2:]))
        if isinstance(result, Image.Image):
            image = np.array(result.convert("RGB"))
            return replace(sample, data=image, color="rgb", geometry=self._geometry(sample, image.shape[:2]))
        raise ValueError(f"{self.transforms} returned a {type(result).__name__}, a tensor or PIL image expected")

    def _geometry(self, sample: Sample, size: Sequence[int]) -> Geometry | None:
        """Return the geometry after the transform made an image of `size`; None where nobody knows it."""
        if sample.geometry is None or sample.geometry.current == tuple(size):
            return sample.geometry
        from torchvision.transforms._presets import SemanticSegmentation

        stretches = isinstance(self._transform, SemanticSegmentation) and len(size) == 2
        return sample.geometry.resized_to((int(size[0]), int(size[1]))) if stretches else None

    @functools.cached_property
    def _transform(self) -> Callable[[Any], Any]:
        found = _resolve(self.transforms)
        built = found() if _is_builder(found) else found
        transform: Callable[[Any], Any] = built if callable(built) else found
        if not callable(transform) or isinstance(transform, type):
            raise ValueError(
                f"transforms: {self.transforms} is {_described(found)}; a transform, or a class or function that "
                "builds one without arguments, expected"
            )
        return transform


def _resolve(path: str) -> Any:
    try:
        return pkgutil.resolve_name(path)
    except ImportError as error:
        raise ValueError(f"transforms: {path} cannot be imported: {error}") from error
    except AttributeError as error:
        # The names of an Enum that dir() leaves out are its aliases, such as DEFAULT of torchvision's weights.
        known = [*dir(error.obj), *getattr(error.obj, "__members__", ())]
        suggestion = did_you_mean(error.name or "", known)
        raise ValueError(f"transforms: {path} has no part {error.name!r}{suggestion}") from None


def _is_builder(found: Any) -> bool:
    if not isinstance(found, type | functools.partial | FunctionType):
        return False
    try:
        inspect.signature(found).bind()
    except (TypeError, ValueError):
        return False
    return True


def _described(found: Any) -> str:
    return (
        "a class that needs arguments or makes no callable" if isinstance(found, type) else f"a {type(found).__name__}"
    )


def _pil_image(sample: Sample) -> Any:
    from PIL import Image

    data: Any = sample.data
    if data.dtype != np.uint8 or data.ndim != 3 or data.shape[-1] not in (1, 3):
        raise ValueError(
            f"an array {data.shape} {data.dtype} found, an image (H, W, 1 or 3) uint8 expected; "
            "put this step before those that make floats"
        )
    if data.shape[-1] == 1:
        return Image.fromarray(data[..., 0]).convert("RGB")
    return Image.fromarray(np.ascontiguousarray(data[..., ::-1] if sample.color == "bgr" else data))
