"""Lean loading: a module that is built without memory of its own and takes the tensors of its checkpoint.

Building on torch's meta device skips allocation and initialisation, and assigning skips copying. Where the module might
not be the same as one that is built as usual and copied into, this way gives up without a trace.
"""

from __future__ import annotations

import gc
import warnings
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from importlib.machinery import SourceFileLoader
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from ..plan import LauncherSpec
from .importing import resolve
from .module import build_module, is_constructed
from .reproducible import generators_kept
from .state import Fit, unwrapped

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["build_with"]

_ALIGNMENT = 64
"""Bytes; what torch's own memory has. Libraries may add in another order where it is less."""


def build_with(state: Mapping[str, Any], spec: LauncherSpec) -> tuple[nn.Module, Fit] | None:
    """Return the module of `spec`, made of the tensors in `state`, and how they fit; None where that is not safe.

    The random generators are then as they were.

    Raises:
        ModelError: the class or function of `spec` cannot be imported.
    """
    if not is_constructed(spec):
        return None
    # Before the generators' states are kept: importing a project's file, which happens once, may draw numbers.
    factory = resolve(spec)
    if hasattr(factory, "cache_clear"):  # what failed on meta would be remembered
        return None
    built = None
    # Its errors are told when the module is built as usual: it may compute with values, or tensors may not fit.
    with generators_kept(), warnings.catch_warnings(record=True) as caught, suppress(Exception):
        built = _assigned(state, spec)
    for told in caught if built else ():
        warnings.warn_explicit(told.message, told.category, told.filename, told.lineno, source=told.source)
    return built


def _assigned(state: Mapping[str, Any], spec: LauncherSpec) -> tuple[nn.Module, Fit] | None:
    import torch

    generator = torch.get_rng_state()
    with _on_meta():
        module = build_module(spec)
    # Numbers that were drawn for tensors off meta come in another order than where all are.
    if not torch.equal(generator, torch.get_rng_state()) or _share_memory(_tensors(module)):
        return None
    layout = _layout(module)
    prepared = _prepared(unwrapped(state, module), _tensors(module))
    fit = Fit(*module.load_state_dict(prepared, strict=False, assign=True))
    unfit = len(fit.unexpected) == len(state) or fit.problems(strict=spec.strict)
    return None if unfit or _layout(module) != layout or _holds_meta(module) else (module, fit)


@contextmanager
def _on_meta() -> Iterator[None]:
    """Make tensors on meta, but for those of modules that are imported meanwhile: they stay when this is over."""
    import torch

    execute, fill = SourceFileLoader.exec_module, torch.Tensor.normal_

    def execute_on_cpu(loader: SourceFileLoader, module: ModuleType) -> None:
        with torch.device("cpu"):
            execute(loader, module)

    def normal_(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        return tensor if tensor.is_meta else fill(tensor, *args, **kwargs)

    # On meta normal_ fills nothing, but torch imports its compiler for it, which takes longer than most models.
    numbers = _replaced(torch.Tensor, "normal_", normal_)
    with torch.device("meta"), _replaced(SourceFileLoader, "exec_module", execute_on_cpu), numbers:
        yield


@contextmanager
def _replaced(owner: type, name: str, value: Any) -> Iterator[None]:
    own = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)
        else:
            setattr(owner, name, own)


def _tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return parameters and buffers by name, also those under several names."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def _share_memory(tensors: Mapping[str, torch.Tensor]) -> bool:
    return len({tensor.untyped_storage()._cdata for tensor in tensors.values()}) < len(tensors)


def _layout(module: nn.Module) -> dict[str, tuple[Any, ...]]:
    """Return what a parameter or buffer keeps when values are copied into it."""
    from torch import nn

    def kept(tensor: torch.Tensor) -> tuple[Any, ...]:
        marks = tuple(vars(tensor)) if isinstance(tensor, nn.Parameter) else ()
        return tensor.dtype, tensor.shape, tensor.stride(), type(tensor), marks

    return {name: kept(tensor) for name, tensor in _tensors(module).items()}


def _prepared(state: Mapping[str, Any], own: Mapping[str, torch.Tensor]) -> Mapping[str, Any]:
    """Return `state`, its metadata too, with tensors that can stand for those in `own`."""
    import torch

    prepared: OrderedDict[str, Any] = OrderedDict()
    taken: set[int] = set()
    for name, value in state.items():
        if isinstance(value, torch.Tensor):
            value = _standing_for(own.get(name), value.detach(), taken)
            taken.add(value.data_ptr())
        prepared[name] = value
    # A copy: torch notes in it that the tensors are to be assigned, which would hold for plain loading afterwards.
    prepared._metadata = deepcopy(getattr(state, "_metadata", None))  # type: ignore[attr-defined]
    return prepared


def _standing_for(own: torch.Tensor | None, tensor: torch.Tensor, taken: Collection[int]) -> torch.Tensor:
    """Return `tensor`, or a copy where its own memory, at an address not in `taken`, will not do for `own`."""
    if own is None or own.shape != tensor.shape:  # torch is to refuse it: copying would broadcast
        return tensor
    return tensor if _can_stand_for(tensor, own) and tensor.data_ptr() not in taken else _copied(tensor, own)


def _can_stand_for(tensor: torch.Tensor, own: torch.Tensor) -> bool:
    aligned = tensor.data_ptr() % _ALIGNMENT == 0
    on_its_device = own.is_meta or own.device == tensor.device
    return aligned and on_its_device and (tensor.dtype, tensor.stride()) == (own.dtype, own.stride())


def _copied(tensor: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """Return the values of `tensor` in the dtype and memory format of `own`."""
    import torch

    return torch.empty_like(own, device="cpu" if own.is_meta else own.device, requires_grad=False).copy_(tensor)


def _holds_meta(module: nn.Module) -> bool:
    """Return whether anything that `module` holds, however deep, is still on meta or cannot be looked into."""
    import torch

    return any(
        issubclass(type(held), torch.jit.ScriptModule)
        or (issubclass(type(held), torch.Tensor) and held.is_meta)
        or (type(held) is torch.device and held.type == "meta")
        for held in _held(module)
    )


def _held(root: Any) -> Iterator[Any]:
    """Yield all objects that `root` holds: in attributes of any kind, containers, closures and its modules' classes."""
    from torch import nn

    seen: set[int] = set()
    waiting = [root]
    while waiting:
        held = waiting.pop()
        if id(held) in seen or isinstance(held, type | ModuleType):
            continue
        seen.add(id(held))
        yield held
        if type(held) is FunctionType:  # not its globals
            waiting += [held.__closure__, held.__defaults__, held.__kwdefaults__, held.__dict__]
        else:
            waiting += gc.get_referents(held)
        if isinstance(held, nn.Module):
            waiting += vars(type(held)).values()
