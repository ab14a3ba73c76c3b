"""A state dict and a module: names that differ by wrappers only, and how the rest fits."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from .files import UnusableError
from .wording import listed

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Fit", "fill", "unwrapped"]

_Shape: TypeAlias = tuple[int, ...]

_COMPILED = re.compile(r"(?<![^.])(_orig_mod\.)+")


@dataclass(frozen=True)
class Fit:
    """How the keys of a checkpoint and of a module differ; `shapes` are pairs (checkpoint's, module's)."""

    missing: Collection[str] = ()
    unexpected: Collection[str] = ()
    shapes: Mapping[str, tuple[_Shape, _Shape]] = field(default_factory=dict)

    def problems(self, *, strict: bool) -> str:
        """Return what keeps the checkpoint from being loaded; shapes alone do unless `strict`."""
        shapes = [f"{name} {found} where the module has {own}" for name, (found, own) in self.shapes.items()]
        keys = {"missing": self.missing, "unexpected": self.unexpected} if strict else {}
        groups: dict[str, Collection[str]] = {**keys, "of another shape": shapes}
        return "; ".join(f"{len(names)} {what}: {listed(names)}" for what, names in groups.items() if names)


def unwrapped(state: Mapping[str, Any], module: nn.Module) -> Mapping[str, Any]:
    """Return `state` without what torch.compile and DataParallel put into the names, unless `module` has it itself.

    That is ``_orig_mod.`` wherever a part was compiled, and ``module.`` before every key.
    """
    own = module.state_dict()
    if not any("_orig_mod" in key.split(".") for key in own):
        state = _renamed(state, {key: _COMPILED.sub("", key) for key in _names(state)})
    while all(key.startswith("module.") for key in state) and not any(key.startswith("module.") for key in own):
        state = _renamed(state, {key: key.removeprefix("module.") for key in _names(state)})
    return state


def fill(module: nn.Module, state: Mapping[str, Any], name: str, *, strict: bool) -> Fit:
    """Copy `state` into `module`, called `name` in messages, and return how they fit.

    Raises:
        UnusableError: shapes differ, no key fits, or, where `strict`, any key does not.
    """
    try:
        fit = _load(module, state)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise UnusableError(f"cannot be loaded into {name}: {type(error).__name__}: {reason}") from error
    if len(fit.unexpected) == len(state):
        theirs, own = listed(sorted(state)), listed(sorted(module.state_dict())) or "none"
        raise UnusableError(f"has no key of {name}; its keys: {theirs}; the module's: {own}")
    if problems := fit.problems(strict=strict):
        raise UnusableError(f"does not fit {name}: {problems}; are the module and its arguments those of the training?")
    return fit


def _names(state: Mapping[str, Any]) -> list[str]:
    """Return the keys of `state` and, with a dot behind them, the names of modules in its metadata."""
    return [*state, *(f"{name}." for name in getattr(state, "_metadata", {}))]


def _renamed(state: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    """Return `state` with new `names`, also in the metadata by which modules tell versions of their state."""
    renamed = OrderedDict((names[key], value) for key, value in state.items())
    metadata = getattr(state, "_metadata", None)
    if metadata is not None:
        # A wrapper comes before what it wraps, whose metadata therefore win.
        renamed._metadata = {names[f"{key}."].removesuffix("."): value for key, value in metadata.items()}  # type: ignore[attr-defined]
    return renamed


def _load(module: nn.Module, state: Mapping[str, Any]) -> Fit:
    """Load what fits; torch itself compares, since modules may rename and convert keys as they load."""
    try:
        return Fit(*module.load_state_dict(state, strict=False))
    except RuntimeError:
        own = module.state_dict()
        shapes = {name: (_shape(state[name]), _shape(own[name])) for name in state if name in own}
        differing = {name: pair for name, pair in shapes.items() if pair[0] != pair[1]}
        if not differing:
            raise
        rest = {name: tensor for name, tensor in state.items() if name not in differing}
        missing, unexpected = module.load_state_dict(rest, strict=False)
        return Fit([name for name in missing if name not in differing], unexpected, differing)


def _shape(value: Any) -> _Shape:
    """Return the shape of a tensor; a module's extra state has none."""
    return tuple(getattr(value, "shape", ()))
