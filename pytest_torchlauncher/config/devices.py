"""The devices of a launcher: one, a list, or several in one text with commas."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..launcher.device import canonical_device
from ..refusal import found

__all__ = ["another_device", "device_names", "devices_of", "shared_baseline"]


def devices_of(text: str) -> tuple[str, ...]:
    """Return the devices in `text`, ``cpu,cuda`` say, as torch spells them.

    Raises:
        ValueError: one is unknown, or two are one or share a baseline.
    """
    devices: tuple[str, ...] = ()
    for name in device_names(text):
        devices += (another_device(name, devices),)
    return devices


def device_names(raw: Any) -> list[Any]:
    """Return the names in `raw` as they are written.

    Raises:
        ValueError: `raw` is an empty list.
    """
    if isinstance(raw, str):
        return [name.strip() for name in raw.split(",")]
    if isinstance(raw, list) and not raw:
        raise ValueError("an empty list found, at least one device expected")
    return list(raw) if isinstance(raw, list) else [raw]


def another_device(name: Any, others: Collection[str]) -> str:
    """Return the device `name`, which runs beside `others`, as torch spells it.

    Raises:
        ValueError: it is unknown, or it is one of `others` or shares the baseline of one.
    """
    if not isinstance(name, str):
        raise ValueError(f"{found(name)} found, the name of a device expected")
    device = canonical_device(name)
    if device in others:
        raise ValueError(f"{device} is named twice; name it once")
    for other in others:
        if _type(other) == _type(device):
            raise ValueError(shared_baseline(other, device))
    return device


def shared_baseline(first: str, second: str) -> str:
    """Return what is wrong with two devices of one type."""
    return f"{first} and {second} both have the baseline of {_type(first)}; name one"


def _type(device: str) -> str:
    return device.partition(":")[0]
