"""The module with its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..plan import LauncherSpec
from .checkpoint import load_checkpoint
from .module import build_module

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Loaded", "load_module"]


@dataclass(frozen=True)
class Loaded:
    """A module with its weights, and the keys by which it and the checkpoint differ."""

    module: nn.Module
    missing_keys: tuple[str, ...] = ()
    unexpected_keys: tuple[str, ...] = ()


def load_module(spec: LauncherSpec) -> Loaded:
    """Return the module that `spec` describes, with the weights of its checkpoint."""
    module = build_module(spec)
    load_checkpoint(module, spec)
    return Loaded(module)
