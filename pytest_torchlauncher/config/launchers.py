"""An entry of ``launchers`` to its variants: one a device."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Annotated

from ..errors import Position, did_you_mean
from ..located import Row, Table, located
from ..options import OneOrMany, Spec, Where
from ..paths import ModuleName
from ..plan import LauncherSpec
from ..reference_names import FRAMEWORKS
from .devices import another_device, device_names
from .inputs import checked_inputs
from .marks import is_mark
from .reading import Reading, join

__all__ = ["Variant", "read_launchers"]


@dataclass(frozen=True)
class Variant:
    """A launcher on one device, or one that is not run: `spec` is then None and `skip` the reason.

    `suffix` tells it from the other variants of its model.
    """

    tags: tuple[str, ...]
    suffix: tuple[str, ...]
    spec: LauncherSpec | None
    skip: str = ""


@dataclass(frozen=True)
class _OtherLauncher(Spec):
    """What is read of a launcher that is not run."""

    framework: str
    tags: Annotated[tuple[str, ...], OneOrMany] = ()


def read_launchers(reading: Reading, tables: Iterable[tuple[Table, str]]) -> list[Variant]:
    """Return the variants of a model's launchers."""
    tables = list(tables)
    several = len(tables) > 1
    return [variant for table, path in tables for variant in _variants(reading, table, path, several=several)]


def _variants(reading: Reading, table: Table, path: str, *, several: bool) -> list[Variant]:
    framework = table.get("framework")
    if isinstance(framework, str) and framework != "pytorch":
        return _other_framework(reading, table, path)
    specs = _specs(reading, table, path)
    return [
        Variant(spec.tags, _suffix(spec, several_launchers=several, several_devices=len(specs) > 1), spec)
        for spec in specs
    ]


def _suffix(spec: LauncherSpec, *, several_launchers: bool, several_devices: bool) -> tuple[str, ...]:
    tags = spec.tags if several_launchers else ()
    return (*tags, spec.device) if several_devices or (several_launchers and not tags) else tags


def _other_framework(reading: Reading, table: Table, path: str) -> list[Variant]:
    """Return the variant of a launcher of another framework, of which only the tags are read."""
    framework = str(table["framework"])
    if framework not in FRAMEWORKS:
        hint = did_you_mean(framework, FRAMEWORKS) or "; 'pytorch' expected"
        reading.problems.add(table.values_at["framework"], join(path, "framework"), f"unknown framework{hint}")
    spec = reading.construct(_OtherLauncher, table.only("framework", "tags"), path)
    if spec is None:
        return []
    _check_tags(reading, spec.tags, table, path)
    reason = f"framework {framework!r} is not run here, only 'pytorch'"
    return [Variant(spec.tags, spec.tags or (framework,), None, reason)]


def _specs(reading: Reading, table: Table, path: str) -> list[LauncherSpec]:
    """Return the specification of the launcher for each of its devices."""
    table = reading.known(table, "launcher", path)
    table = located(dict(reading.settings.overrides), table.where).over(table)
    reading = reading.within(table, path)
    devices = _devices(reading, table, path)
    spec = reading.construct(LauncherSpec, _options(reading, table, path), path)
    if spec is None:
        return []
    _check_tags(reading, spec.tags, table, path)
    if spec.torch_compile_kwargs and not spec.use_torch_compile:
        message = "has no effect without use_torch_compile: true"
        reading.problems.warn(table.keys_at["torch_compile_kwargs"], join(path, "torch_compile_kwargs"), message)
    return [
        replace(spec, device=device, where=Where(spec.where.own, {**spec.where.keys, "device": where}))
        for device, where in devices.items()
    ]


def _options(reading: Reading, table: Table, path: str) -> Table:
    """Return what `LauncherSpec` is constructed from: `table` without what is read elsewhere, with what it implies."""
    derived = {}
    if "inputs" in table:
        derived["inputs"] = checked_inputs(table["inputs"], join(path, "inputs"), reading.problems)
    if "module" not in table and {"transformers_class", "python_path"} <= set(table):
        derived["module"] = ModuleName(f"transformers.{table['transformers_class']}")
    return Table(derived, table.where, {}, {}).over(table).without("device", "compat")


def _devices(reading: Reading, table: Table, path: str) -> dict[str, Position]:
    """Return the launcher's devices, as torch spells them, with their places."""
    raw = table.get("device", list(reading.settings.devices))
    where, at = table.values_at.get("device", table.where), join(path, "device")
    devices: dict[str, Position] = {}
    try:
        names = device_names(raw)
    except ValueError as error:
        reading.problems.add(where, at, str(error))
        return devices
    places = raw.places if isinstance(raw, Row) else repeat(where)
    for index, (name, place) in enumerate(zip(names, places, strict=False)):
        try:
            devices[another_device(name, devices)] = place
        except ValueError as error:
            reading.problems.add(place, f"{at}[{index}]" if isinstance(raw, Row) else at, str(error))
    return devices


def _check_tags(reading: Reading, tags: tuple[str, ...], table: Table, path: str) -> None:
    """Note the first tag that cannot be a mark."""
    unfit = next((tag for tag in tags if not is_mark(tag)), None)
    if unfit is not None:
        message = f"{str(unfit)!r} found, a name of letters, digits and _ that begins with a letter expected"
        reading.problems.add(table.values_at["tags"], join(path, "tags"), message)
