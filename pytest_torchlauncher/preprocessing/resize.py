"""Resizing of images by OpenCV or Pillow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator

from ..errors import did_you_mean
from ..kinds import Preprocessor
from ..opencv import opencv
from ..options import PositiveInt
from ..registry import register
from ..types import Array, Levels, Sample
from ._arrays import cast_unless, image_of
from ._aspect_ratio import RULES, Size

__all__ = ["Resize"]

AspectRatioScale = Literal[
    "width",
    "height",
    "greater",
    "fit_to_window",
    "frcnn_keep_aspect_ratio",
    "ctpn_keep_aspect_ratio",
    "east_keep_aspect_ratio",
    "min_ratio",
    "mask_rcnn_benchmark_aspect_ratio",
    "scale_factor",
    "ppcrnn_ratio",
    "ppocr_max_ratio",
    "ppocr_cls_ratio",
]

_INTERPOLATIONS = {
    "opencv": {
        "NEAREST": "INTER_NEAREST",
        "LINEAR": "INTER_LINEAR",
        "BILINEAR": "INTER_LINEAR",
        "CUBIC": "INTER_CUBIC",
        "BICUBIC": "INTER_CUBIC",
        "AREA": "INTER_AREA",
        "LANCZOS4": "INTER_LANCZOS4",
    },
    "pillow": {
        "NEAREST": "NEAREST",
        "NONE": "NEAREST",
        "LINEAR": "BILINEAR",
        "BILINEAR": "BILINEAR",
        "CUBIC": "BICUBIC",
        "BICUBIC": "BICUBIC",
        "BOX": "BOX",
        "HAMMING": "HAMMING",
        "LANCZOS": "LANCZOS",
        "ANTIALIAS": "LANCZOS",
    },
}


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


@register("resize")
@dataclass(frozen=True, kw_only=True)
class Resize(Preprocessor):
    """Resizes an image.

    Pillow's filters smooth when they shrink an image, OpenCV's do not: the results differ visibly.

    Args:
        size: width and height, px; goes before `dst_width` and `dst_height`.
        dst_width: width, px.
        dst_height: height, px.
        aspect_ratio_scale: the rule by which the aspect ratio is kept; without one the image is stretched.
        interpolation: a name that OpenCV or Pillow knows; bilinear by default.
        resize_realization: opencv, the default, or pillow; goes before `use_pillow`.
        use_pillow: the same as ``resize_realization: pillow``.
        use_tensorflow: accepted as false only.
        factor: both sides are lowered to a multiple of it, plus 1 unless `include_boundary`; with
            `aspect_ratio_scale` only.
        include_boundary: whether the sides are multiples of `factor` themselves.
        scale: the factor of ``aspect_ratio_scale: scale_factor``.
    """

    takes_levels: ClassVar[bool] = True
    size: PositiveInt | None = None
    dst_width: PositiveInt | None = None
    dst_height: PositiveInt | None = None
    aspect_ratio_scale: Annotated[AspectRatioScale | None, BeforeValidator(_lower)] = None
    interpolation: str | None = None
    resize_realization: Annotated[Literal["opencv", "pillow", "tf"] | None, BeforeValidator(_lower)] = None
    use_pillow: bool = False
    use_tensorflow: bool = False
    factor: PositiveInt | None = None
    include_boundary: bool = False
    scale: float | None = None

    def __post_init__(self) -> None:
        """Check the options against each other.

        Raises:
            ValueError: they leave the size open, or name what this step does not do.
        """
        if self.resize_realization == "tf" or self.use_tensorflow:
            raise ValueError("resizing by tf is not supported; use opencv or pillow")
        if self.interpolation is not None and self.interpolation.upper() not in self._known:
            raise ValueError(
                f"interpolation: {self.interpolation!r} is unknown to {self._backend}"
                f"{did_you_mean(self.interpolation.upper(), self._known)}; there are {', '.join(self._known)}"
            )
        if self.aspect_ratio_scale is None and self.factor is not None:
            raise ValueError("factor goes with aspect_ratio_scale only; add that, or remove factor")
        self._check_size()

    def _check_size(self) -> None:
        if self.aspect_ratio_scale == "scale_factor":
            if self.scale is None or self.scale <= 0:
                raise ValueError(f"scale: {self.scale} found, a number above 0 expected for scale_factor")
        elif self.size is None and (self.dst_width is None or self.dst_height is None):
            raise ValueError("no full size found, size or both of dst_width and dst_height expected")

    def apply(self, sample: Sample) -> Sample:
        """Return the image (H, W, C) in its new size: float32 from OpenCV, its own dtype from Pillow.

        Raises:
            ValueError: the data is no image, or none that Pillow can resize.
        """
        # Interpolation rounds bytes, and numbers that a table made of them otherwise.
        stays_levels = isinstance(sample.data, Levels) and sample.data.are_bytes
        image = sample.data.levels if isinstance(sample.data, Levels) and stays_levels else image_of(sample)
        size = self._target((image.shape[1], image.shape[0]))
        if min(size) < 1:
            source, target = f"{image.shape[1]}x{image.shape[0]}", f"{size[0]}x{size[1]}"
            raise ValueError(f"resizing {source} to {target} leaves nothing, a pixel at least expected")
        is_pillow = self._backend == "pillow"
        resized = _by_pillow if is_pillow else _by_opencv
        result = resized(image, size, self._known[(self.interpolation or "bilinear").upper()])
        result = result[..., np.newaxis] if result.ndim == 2 else result
        geometry = sample.geometry and sample.geometry.resized_to(size[::-1], self._wanted(size))
        dtype = result.dtype if is_pillow else np.float32
        data = Levels.of(result).astype(dtype) if stays_levels else result.astype(dtype, copy=False)
        return sample.moved(data, geometry)

    @property
    def _backend(self) -> str:
        return self.resize_realization or ("pillow" if self.use_pillow else "opencv")

    @property
    def _known(self) -> dict[str, str]:
        return _INTERPOLATIONS[self._backend]

    def _wanted(self, size: Size) -> Size:
        """Return the height and width that were asked for, or those of `size`, whichever are larger."""
        width, height = self.size or self.dst_width or 0, self.size or self.dst_height or 0
        return max(size[1], height), max(size[0], width)

    def _target(self, image: Size) -> Size:
        target = (self.size or self.dst_width or 0, self.size or self.dst_height or 0)
        if self.aspect_ratio_scale is None:
            return target
        if self.aspect_ratio_scale == "scale_factor":
            scale = self.scale or 0
            target = (int(image[0] * scale), int(image[1] * scale))
        else:
            target = RULES[self.aspect_ratio_scale](image, target)
        return self._lowered(target[0]), self._lowered(target[1])

    def _lowered(self, side: int) -> int:
        boundary = 0 if self.include_boundary else 1
        return side - (side - boundary) % self.factor if self.factor else side


def _by_opencv(image: Array, size: Size, interpolation: str) -> Array:
    cv2 = opencv()

    suited = cast_unless(image, np.uint8, np.int16, np.uint16, np.float32, np.float64)
    resized: Array = cv2.resize(suited, size, interpolation=getattr(cv2, interpolation))
    return resized


def _by_pillow(image: Array, size: Size, interpolation: str) -> Array:
    from PIL import Image

    channels = image.shape[-1]
    if not (image.dtype == np.uint8 and channels in (1, 3, 4)) and not (image.dtype == np.float32 and channels == 1):
        raise ValueError(
            f"{image.dtype} with {channels} channels found, uint8 with 1, 3 or 4 expected by Pillow; "
            "put this step before those that make floats, or use opencv"
        )
    resized = Image.fromarray(image[..., 0] if channels == 1 else image).resize(size, Image.Resampling[interpolation])
    return np.array(resized)
