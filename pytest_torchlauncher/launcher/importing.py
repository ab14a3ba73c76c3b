"""Dotted paths to what they name, with the folders of ``python_path`` importable meanwhile."""

from __future__ import annotations

import importlib
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import ModelError, Position, did_you_mean, display_path
from ..opencv import PATH_LOCK
from ..plan import LauncherSpec
from ..reads import unnoticed
from .importing_much import importing_much
from .wording import listed, raised, user_code

__all__ = ["importable", "resolve", "top_level_names"]


@contextmanager
def importable(
    paths: Iterable[Path], where: Position | None = None, kept: dict[str, ModuleType] | None = None
) -> Iterator[None]:
    """Put `paths` first on ``sys.path``, in their order, and take away afterwards what came through them.

    Modules of the same top-level name that were imported from elsewhere are hidden meanwhile. What belongs to the
    Python environment (its standard library and site-packages) is neither hidden nor taken away: torch cannot be
    imported twice. Neither are packages of `paths` that were imported before.

    Args:
        paths: folders.
        where: of their key in the launcher file.
        kept: what an earlier block took away, which is there again; afterwards with what this one took.

    Raises:
        ModelError: a path is no folder.
    """
    entries = [_folder(path, where) for path in paths]
    owners = {name: entry for entry in reversed(entries) for name in top_level_names(entry)}
    kept = {} if kept is None else kept
    with PATH_LOCK:
        hidden = _take(lambda top: top in owners and _is_elsewhere(top, owners[top]))
        before, path = {_top(name) for name in list(sys.modules)}, list(sys.path)
        sys.modules.update(kept)
        sys.path[:0] = map(str, entries)
        importlib.invalidate_caches()
    try:
        yield
    finally:
        # Before anything is taken away: a namespace package asks its parent, and sys.path, for its folders.
        leaving = [name for name in list(sys.modules) if _top(name) in owners and _top(name) not in before]
        leaving = [name for name in leaving if _lies_under(sys.modules[name], entries)]
        with PATH_LOCK:
            sys.path[:] = path
        for name in leaving:
            kept[name] = sys.modules.pop(name)
        sys.modules.update(hidden)


def _folder(path: Path, where: Position | None) -> Path:
    if not path.is_dir():
        raise ModelError(
            f"python_path: {display_path(path)} is not a folder; a folder of Python modules expected", where
        )
    return path.resolve()


def _top(name: str) -> str:
    return name.partition(".")[0]


def top_level_names(entry: Path) -> set[str]:
    """Return the names of the modules and packages in `entry`; dunder files are run, not imported."""
    with unnoticed():  # nothing depends on what else lies there
        paths = list(entry.iterdir())
    names = {path.name if path.is_dir() else inspect.getmodulename(path.name) for path in paths}
    return {name for name in names if name and name.isidentifier() and not name.startswith("__")}


def _take(chosen: Callable[[str], bool]) -> dict[str, ModuleType]:
    """Remove from ``sys.modules``, and return, all modules whose top-level name is `chosen`."""
    # Other threads import meanwhile: a copy is made in one go.
    tops = {top for top in map(_top, list(sys.modules)) if chosen(top)}
    return {name: sys.modules.pop(name) for name in list(sys.modules) if _top(name) in tops}


def _is_elsewhere(name: str, entry: Path) -> bool:
    module = sys.modules.get(name)
    places = _places(module)
    return bool(places) and not any(map(_of_environment, places)) and not _lies_under(module, [entry])


def _lies_under(module: ModuleType | None, entries: Sequence[Path]) -> bool:
    places = [place for place in _places(module) if not _of_environment(place)]
    return any(place.is_relative_to(entry) for place in places for entry in entries)


def _places(module: ModuleType | None) -> list[Path]:
    """Return the file of `module`, or the folders of a namespace package; nothing for built-in modules."""
    file = getattr(module, "__file__", None)
    return [Path(place) for place in ([file] if file else getattr(module, "__path__", ()))]


def _of_environment(place: Path) -> bool:
    if {"site-packages", "dist-packages"} & set(place.parts):
        return True
    return place.is_relative_to(sysconfig.get_path("stdlib"))


def resolve(spec: LauncherSpec) -> Any:
    """Return the attribute at the dotted path ``spec.module``.

    The last name is always an attribute: ``torchvision.models.alexnet`` is a submodule as well as the function meant.
    Must be called inside `importable` of the specification's ``python_path``.

    Raises:
        ModelError: it is no dotted path, leads nowhere, or importing it raised an exception.
    """
    names = spec.module.split(".")
    if len(names) < 2 or not all(map(str.isidentifier, names)):
        raise ModelError(
            f"module: {spec.module!r} is not a dotted path; package.module.Class expected", spec.where["module"]
        )
    misses = []
    for length in range(len(names) - 1, 0, -1):
        module = _import(".".join(names[:length]), spec)
        if module is None:
            continue
        try:
            return reduce(getattr, names[length:], module)
        except AttributeError:
            misses.append(_no_attribute(module, names[length:]))
    raise ModelError(misses[0] if misses else _no_module(names[0], spec.python_path), spec.where["module"])


def _import(name: str, spec: LauncherSpec) -> ModuleType | None:
    """Return the module called `name`, None if there is none."""
    where = spec.where["module"]
    with user_code(f"module: importing {name}", where):
        try:
            with importing_much():
                return importlib.import_module(name)
        except ImportError as error:
            if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
                return None
            failure = error
    found = f"{name} was found, but importing it {raised(failure)}"
    raise ModelError(f"module: {found}; install what it needs, or add its folder to python_path", where) from failure


def _no_module(name: str, python_path: Sequence[Path]) -> str:
    known = {found for path in python_path for found in top_level_names(path)}
    folders = ", ".join(map(display_path, python_path)) or "none"
    advice = did_you_mean(name, known) or "; install it, or set python_path to the folder that holds it"
    return f"module: no module named {name!r} (python_path: {folders}){advice}"


def _no_attribute(module: ModuleType, names: Sequence[str]) -> str:
    """Return which of `names`, looked up one in the other from `module` on, is not there."""
    owner: Any = module
    path = module.__name__
    for missing in names:
        if not hasattr(owner, missing):
            break
        owner, path = getattr(owner, missing), f"{path}.{missing}"
    public = [name for name in dir(owner) if not name.startswith("_")]
    own = [n for n in public if getattr(getattr(owner, n, None), "__module__", None) == module.__name__]
    advice = did_you_mean(missing, public) or (f"; there are {listed(own)}" if own else "")
    places = _places(module)
    file = f" ({display_path(places[0])})" if places else ""
    return f"module: {path}{file} has no {missing!r}{advice}"
