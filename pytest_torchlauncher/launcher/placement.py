"""A built module as it runs: in evaluation mode, on its device, in its precision and memory format, compiled."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from ..plan import LauncherSpec
from .calling import Arguments, Convention
from .environment import digest_of_tensors
from .inputs import Feeder
from .module import evaluation_mode, is_constructed, keyword_names
from .tensors import Converter, floating_dtype
from .wording import described, user_code

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["PlacedModule"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True

_DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "fp64": "float64"}


class PlacedModule:
    """A module where and how `spec` wants it; `feeder` makes its arguments, `call` runs it.

    Raises:
        ModelError: it cannot be moved or compiled.
    """

    def __init__(self, module: nn.Module, spec: LauncherSpec, device: torch.device) -> None:
        self._module = module
        self._spec = spec
        self._device = device
        self._convention = Convention.of(module, keyword_names(module))
        _place(module, spec, device)
        self._dtype = floating_dtype(module)
        self.channels_last = _in_channels_last(module, spec)
        self._call = _compiled(module, spec)

    @property
    def feeder(self) -> Feeder:
        """What makes the arguments of `call` from samples."""
        converter = Converter(self._device, self._dtype, self.channels_last)
        return Feeder(self._spec, self._convention, converter)

    @property
    def precision(self) -> str:
        """The precision that the launcher file names, else that of the module as it was built."""
        names = {dtype: name for name, dtype in _DTYPES.items()}
        dtype = str(self._dtype).removeprefix("torch.")
        return self._spec.precision or names.get(dtype, dtype)

    def call(self, arguments: Arguments) -> Any:
        """Return what the module makes of `arguments`.

        Raises:
            ModelError: it raised an exception.
        """
        import torch

        doing, context = f"module: forward of {self._spec.module}", _described(arguments)
        with (
            torch.inference_mode(),
            _autocast(self._spec, self._device),
            user_code(doing, self._spec.where["module"], context),
        ):
            return self._call(*arguments.args, **arguments.kwargs)

    def in_training(self) -> tuple[str, ...]:
        """Return the names of the parts that are in training mode, ``module`` for the whole."""
        # A program of torch.export cannot tell.
        parts = self._module.named_modules() if hasattr(self._module, "named_modules") else ()
        return tuple(name or "module" for name, part in parts if part.training)

    def state(self) -> Hashable | None:
        """Return what changes whenever something does that a part of the module holds; None if nobody can tell."""
        if not hasattr(self._module, "named_modules"):
            return None
        # torch's own counters of changes miss those by way of ``.data``.
        tensors = digest_of_tensors([*self._module.named_parameters(), *self._module.named_buffers()])
        try:
            others = [pickle.dumps(_attributes(part)) for part in self._module.modules()]
        except Exception:  # whatever an attribute raises that cannot be pickled
            return None
        return tensors, self.in_training(), hashlib.sha256(b"".join(others)).hexdigest()

    def leave_channels_last(self) -> None:
        """Go on in plain memory."""
        import torch

        self._module.to(memory_format=torch.contiguous_format)
        self.channels_last = False


def _attributes(part: nn.Module) -> dict[str, Any]:
    """Return what `part` holds beside parameters, buffers and other modules."""
    return {name: value for name, value in vars(part).items() if name not in ("_parameters", "_buffers", "_modules")}


def _place(module: nn.Module, spec: LauncherSpec, device: torch.device) -> None:
    import torch

    with user_code(f"module: placing {spec.module} on {device}", spec.where["module"]):
        evaluation_mode(module)
        module.to(device)
        if spec.precision in _DTYPES:
            module.to(getattr(torch, _DTYPES[spec.precision]))


def _in_channels_last(module: nn.Module, spec: LauncherSpec) -> bool:
    """Put `module` into channels-last memory where `spec` asks for it; ``auto`` does for 2-D convolutions."""
    import torch

    wanted = spec.channels_last
    if wanted == "auto":
        wanted = _has_convolutions(module) and (is_constructed(spec) or spec.transformers_class is not None)
    if wanted:
        with user_code(f"channels_last: {spec.module}", spec.where["channels_last"]):
            module.to(memory_format=torch.channels_last)
    return bool(wanted)


def _has_convolutions(module: nn.Module) -> bool:
    from torch import nn

    return any(isinstance(part, nn.Conv2d | nn.ConvTranspose2d) for part in module.modules())


def _compiled(module: nn.Module, spec: LauncherSpec) -> Callable[..., Any]:
    import torch

    if not spec.use_torch_compile:
        return module
    with user_code("torch_compile_kwargs: torch.compile", spec.where["torch_compile_kwargs"]):
        call: Callable[..., Any] = torch.compile(module, **spec.torch_compile_kwargs)
    return call


def _autocast(spec: LauncherSpec, device: torch.device) -> AbstractContextManager[Any]:
    import torch

    if not (spec.precision or "").startswith("amp_"):
        return nullcontext()
    return torch.autocast(device.type, dtype=getattr(torch, _DTYPES[str(spec.precision).removeprefix("amp_")]))


def _described(arguments: Arguments) -> str:
    inputs = [_kind(value) for value in arguments.args]
    inputs += [f"{name} {_kind(value)}" for name, value in arguments.kwargs.items()]
    return f" (input{'s' if len(inputs) > 1 else ''} {', '.join(inputs)})"


def _kind(value: Any) -> str:
    import torch

    if isinstance(value, torch.Tensor):
        return described(value)
    if isinstance(value, list | tuple | Mapping) and value:
        first = next(iter(value.values() if isinstance(value, Mapping) else value))
        return f"{type(value).__name__} of {len(value)}, the first {_kind(first)}"
    return type(value).__name__
