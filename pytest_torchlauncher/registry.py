"""Names of blocks: registered, found in the kind's folder, or brought by an installed package."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TypeVar

from .errors import did_you_mean
from .kinds import Block
from .reference_names import REFERENCE_NAMES

__all__ = ["ENTRY_POINT_GROUP", "lookup", "names", "register"]

ENTRY_POINT_GROUP = "pytest_torchlauncher"

BlockType = TypeVar("BlockType", bound=type[Block])

_registered: dict[str, dict[str, type[Block]]] = {}
_loaded_packages: set[str] = set()


def register(name: str) -> Callable[[BlockType], BlockType]:
    """Register a block under `name`, the ``type`` that launcher files use for it.

    Use it as a decorator on a final subclass of `Converter`, `Reader`, `Preprocessor`, `Adapter`, `Postprocessor` or
    `Metric`.

    Raises:
        ValueError: another block of this kind has that name.
    """

    def add(block: BlockType) -> BlockType:
        blocks = _registered.setdefault(block.kind, {})
        present = blocks.get(name)
        if present is not None and not _is_redefinition(present, block):
            raise ValueError(
                f"{block.kind}: {name!r} is registered twice, by {_origin(present)} and by {_origin(block)}; "
                "give one of them another name"
            )
        blocks[name] = block
        return block

    return add


def lookup(kind: str, name: str) -> type[Block]:
    """Return the block of `kind` registered under `name`.

    Raises:
        LookupError: there is none; the message suggests the nearest name and lists all.
    """
    blocks = _registered.setdefault(kind, {})
    for load in (_load_file, _load_folder, _load_entry_points):
        if name in blocks:
            break
        load(kind, name)
    if name in blocks:
        return blocks[name]
    if name in REFERENCE_NAMES[kind]:
        raise LookupError(f"{name!r} is known to the Accuracy Checker, not supported here yet")
    raise LookupError(
        f"unknown name {name!r}{did_you_mean(name, blocks)}{'' if did_you_mean(name, blocks) else ';'} "
        f"there are {', '.join(sorted(blocks)) or 'none'}"
    )


def names(kind: str) -> tuple[str, ...]:
    """Return all names of `kind`, sorted: built in, registered and brought by packages."""
    _load_folder(kind, "")
    _load_entry_points(kind, "")
    return tuple(sorted(_registered.get(kind, {})))


def _load_file(kind: str, name: str) -> None:
    package = f"{__package__}.{kind}"
    if name.isidentifier() and importlib.util.find_spec(f"{package}.{name}"):
        importlib.import_module(f"{package}.{name}")


def _load_folder(kind: str, _name: str) -> None:
    package = importlib.import_module(f"{__package__}.{kind}")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def _load_entry_points(_kind: str, _name: str) -> None:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.value not in _loaded_packages:
            _loaded_packages.add(point.value)
            point.load()


def _is_redefinition(present: type[Block], block: type[Block]) -> bool:
    """Whether `block` is `present` defined once more, as when a conftest.py is imported again."""
    return present.__qualname__ == block.__qualname__ and _file(present) == _file(block)


def _origin(block: type[Block]) -> str:
    return f"{block.__module__}.{block.__qualname__}"


def _file(block: type[Block]) -> str | None:
    try:
        return inspect.getfile(block)
    except (OSError, TypeError):
        return None
