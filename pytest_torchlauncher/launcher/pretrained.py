"""Weights that a builder brings itself: torchvision's ``pretrained``, and downloads into torch's hub cache."""

from __future__ import annotations

import inspect
import traceback
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError, URLError

from ..errors import ModelError, Position
from .wording import raised

__all__ = ["downloads_told", "legacy_weights"]

_LEGACY = ("IMAGENET1K_V1", "KINETICS400_V1", "COCO_V1", "COCO_WITH_VOC_LABELS_V1", "C_T_SKHT_V2", "C_T_V2")
"""What ``pretrained=True`` stands for in torchvision 0.13 and later: the first of these that a builder has."""

_LEGACY_QUANTIZED = ("IMAGENET1K_FBGEMM_V1", "IMAGENET1K_QNNPACK_V1")
"""The same for ``quantize=True``."""


def legacy_weights(builder: Callable[..., Any], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return `kwargs` with ``weights`` in place of ``pretrained``, for a `builder` in torchvision's manner.

    None for any other builder, and where ``pretrained: true`` never meant any weights.
    """
    members = _weights_of(builder)
    others = {name: value for name, value in kwargs.items() if name != "pretrained"}
    if not members or "weights" in others:
        return None
    if not kwargs["pretrained"]:
        return {**others, "weights": None}
    names = _LEGACY_QUANTIZED if kwargs.get("quantize") else _LEGACY
    chosen = next((members[name] for name in names if name in members), None)
    return None if chosen is None else {**others, "weights": chosen}


def _weights_of(builder: Callable[..., Any]) -> dict[str, Any]:
    """Return the members of the enumerations that `builder` takes as ``weights``, by name."""
    from torchvision.models import WeightsEnum

    parameter = inspect.signature(builder).parameters.get("weights")
    kinds = typing.get_args(parameter.annotation) if parameter else ()
    enums: list[Any] = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, WeightsEnum)]
    return {member.name: member for enum in enums for member in enum}


@contextmanager
def downloads_told(doing: str, where: Position) -> Iterator[None]:
    """Tell which file is missing where the block fails since ``torch.hub`` could not download one.

    Raises:
        ModelError: in place of one whose cause is such a failure; it names the URL and where the file belongs.
    """
    try:
        yield
    except ModelError as error:
        cause = error.__cause__
        if cause is None or (download := _download(cause)) is None:
            raise
        url, path = download
        message = f"{doing} could not download {url} ({_reason(cause)}); put the file at {path}"
        raise ModelError(message, where) from None


def _download(error: BaseException) -> tuple[str, str] | None:
    """Return URL and destination of the download in which `error` was raised, None if it was raised elsewhere."""
    from torch import hub

    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code is hub.download_url_to_file.__code__:
            return frame.f_locals["url"], frame.f_locals["dst"]
    return None


def _reason(error: BaseException) -> str:
    if isinstance(error, URLError) and not isinstance(error, HTTPError):
        return f"no network: {error.reason}"
    return raised(error).removeprefix("raised ")
