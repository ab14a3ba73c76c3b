"""Sizes that keep an image's aspect ratio, one rule a function; all sizes are (width, height) in pixels.

The names and the rounding are those of the Accuracy Checker's ``aspect_ratio_scale``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["RULES", "Size"]

Size = tuple[int, int]


def _scaled(image: Size, ratio: float) -> Size:
    return int(image[0] * ratio), int(image[1] * ratio)


def _width(image: Size, target: Size) -> Size:
    (width, height), (dst_width, dst_height) = image, target
    return int(dst_width * width / height), dst_height


def _height(image: Size, target: Size) -> Size:
    (width, height), (dst_width, dst_height) = image, target
    return dst_width, int(dst_height * height / width)


def _greater(image: Size, target: Size) -> Size:
    return _height(image, target) if image[1] > image[0] else _width(image, target)


def _fit_to_window(image: Size, target: Size) -> Size:
    return _scaled(image, min(target[1] / image[1], target[0] / image[0]))


def _frcnn(image: Size, target: Size) -> Size:
    shorter, longer = min(target), max(target)
    size = _greater(image, (shorter, shorter))
    return _fit_to_window(image, (longer, longer)) if max(size) > longer else size


def _ctpn(image: Size, target: Size) -> Size:
    ratio = min(target) / min(image)
    if round(ratio * max(image)) > max(target):
        ratio = max(target) / max(image)
    return round(image[0] * ratio), round(image[1] * ratio)


def _east(image: Size, target: Size) -> Size:
    step = min(target)
    width, height = _not_longer(image, max(target))
    return _whole_steps(width, step), _whole_steps(height, step)


def _whole_steps(side: int, step: int) -> int:
    # One step less than fits is what EAST's published preprocessing does.
    return max(32, side if side % step == 0 else (side // step - 1) * step)


def _not_longer(image: Size, limit: int) -> Size:
    return _scaled(image, limit / max(image)) if max(image) > limit else image


def _min_ratio(image: Size, target: Size) -> Size:
    ratio = min(image[1] / target[1], image[0] / target[0])
    return int(image[0] / ratio), int(image[1] / ratio)


def _mask_rcnn_benchmark(image: Size, target: Size) -> Size:
    return _scaled(image, min(target) / min(image))


def _ppcrnn(image: Size, target: Size) -> Size:
    ratio = image[0] / image[1]
    width = math.ceil(target[1] * ratio)
    return int(32 * ratio) if width > target[0] else width, target[1]


def _ppocr_max(image: Size, target: Size) -> Size:
    return _not_longer(image, max(target))


def _ppocr_cls(image: Size, target: Size) -> Size:
    return min(target[0], math.ceil(target[1] * (image[0] / image[1]))), target[1]


RULES: Final[Mapping[str, Callable[[Size, Size], Size]]] = {
    "width": _width,
    "height": _height,
    "greater": _greater,
    "fit_to_window": _fit_to_window,
    "frcnn_keep_aspect_ratio": _frcnn,
    "ctpn_keep_aspect_ratio": _ctpn,
    "east_keep_aspect_ratio": _east,
    "min_ratio": _min_ratio,
    "mask_rcnn_benchmark_aspect_ratio": _mask_rcnn_benchmark,
    "ppcrnn_ratio": _ppcrnn,
    "ppocr_max_ratio": _ppocr_max,
    "ppocr_cls_ratio": _ppocr_cls,
}
"""From the name of a rule to the function of the image's and the target's size."""
