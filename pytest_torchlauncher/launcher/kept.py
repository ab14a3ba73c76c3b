"""Modules that stay built for further datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING

from ..plan import LauncherSpec
from ..reads import Reads
from ..types import ModelProvenance
from .loading import Loaded
from .placement import PlacedModule
from .reproducible import Defaults

if TYPE_CHECKING:
    import torch

__all__ = ["Built", "Models"]

_MOST = {"cpu": 2}
"""Modules that stay at a time, by device; an accelerator's memory has room for one."""


@dataclass(frozen=True, eq=False)
class Built:
    """A module as it was built: `state` tells whether it still is.

    `defaults` are those that its code left for all of torch, `modules` what it was imported from, `reads` the files.
    """

    placed: PlacedModule
    device: torch.device
    model: ModelProvenance
    missing_keys: tuple[str, ...]
    unexpected_keys: tuple[str, ...]
    state: Hashable | None
    defaults: Defaults
    reads: Reads = field(default_factory=Reads)
    modules: Mapping[str, ModuleType] = field(default_factory=dict)

    @classmethod
    def of(
        cls, placed: PlacedModule, device: torch.device, model: ModelProvenance, loaded: Loaded, *, watched: bool
    ) -> Built:
        """Return the module `placed` on `device` as it is now; only one that is `watched` can tell later."""
        state = placed.state() if watched else None
        return cls(placed, device, model, loaded.missing_keys, loaded.unexpected_keys, state, Defaults.now())

    @property
    def is_as_built(self) -> bool:
        """Whether running it changed no parameter, buffer or mode, so that another run gives what a new one gives."""
        return self.state is not None and self.placed.state() == self.state


class Models:
    """Keeps the modules that are still needed, as few as there are at a time, and lets go of them after their last use.

    Args:
        needs: a specification for each evaluation that is to come.
    """

    def __init__(self, needs: Iterable[LauncherSpec] = ()) -> None:
        self._needs = Counter(map(repr, needs))
        self._kept: dict[str, Built] = {}

    def taken(self, spec: LauncherSpec) -> Built | None:
        """Return the module of `spec`, if it is there; it is then no longer kept."""
        return self._kept.pop(repr(spec), None)

    def done(self, spec: LauncherSpec) -> None:
        """Note that an evaluation of `spec` is over, or will not be run."""
        key = repr(spec)
        self._needs[key] -= 1
        if self._needs[key] < 1:
            self._kept.pop(key, None)

    def are_needed(self, spec: LauncherSpec) -> bool:
        """Return whether another evaluation than the present one needs the module of `spec`."""
        return self._needs[repr(spec)] > 1

    def keep(self, spec: LauncherSpec, built: Built) -> None:
        """Keep the module of `spec` if somebody needs it and it is as it was; the oldest goes where there are too many.

        Modules that `python_path` gave are kept along, so that what the module imports when it runs is of one kind with
        it.
        """
        if not self.are_needed(spec) or not built.is_as_built:
            return
        self._kept[repr(spec)] = built
        while len(self._kept) > _MOST.get(built.device.type, 1):
            del self._kept[next(iter(self._kept))]
