"""Devices by their names in a launcher file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import MissingDeviceError, ModelError, Position, did_you_mean

if TYPE_CHECKING:
    import torch

__all__ = ["canonical_device", "select_device"]

_NAMES = ("cpu", "cuda", "gpu", "mps", "xpu")


def canonical_device(name: str) -> str:
    """Return `name` as torch spells it: ``CPU`` is ``cpu``, ``GPU`` is ``cuda``, ``GPU:1`` is ``cuda:1``.

    Raises:
        ValueError: there is no such name.
    """
    found = re.fullmatch(r"(?P<only>cpu|mps)|(?P<type>cuda|gpu|xpu)(?P<index>:(0|[1-9]\d*))?", name.lower())
    if not found:
        advice = did_you_mean(name.lower(), _NAMES)
        raise ValueError(f"unknown device {name!r}{advice or '; there are cpu, cuda (or gpu), cuda:1, mps and xpu'}")
    return found["only"] or found["type"].replace("gpu", "cuda") + (found["index"] or "")


def select_device(name: str, where: Position) -> torch.device:
    """Return the device called `name`, in any case.

    Raises:
        ModelError: there is no such name.
        MissingDeviceError: this machine lacks that device.
    """
    import torch

    try:
        device = torch.device(canonical_device(name))
    except ValueError as error:
        raise ModelError(f"device: {error}", where) from None
    count = _count(device.type)
    if (device.index or 0) >= count:
        present = ", ".join(f"{device.type}:{index}" for index in range(count)) or f"no {device.type} device"
        raise MissingDeviceError(f"device {str(device)!r} is not on this machine (it has {present})", where)
    return device


def _count(kind: str) -> int:
    import torch

    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return {"cuda": torch.cuda.device_count, "xpu": torch.xpu.device_count}.get(kind, lambda: 1)()
