"""Programs: modules that torch.export or TorchScript wrote to a file, code included."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError, display_path
from ..plan import LauncherSpec
from .device import canonical_device
from .files import UnusableError, kind_of
from .wording import user_code

if TYPE_CHECKING:
    from torch import nn

__all__ = ["load_program"]

_PROGRAM = "a file of torch.export.save or torch.jit.save expected"
_NO_CODE = "holds weights but no code; name the class as 'module' and this file as 'checkpoint'"


def load_program(path: Path, spec: LauncherSpec) -> nn.Module:
    """Return the program in the file `path`, that of torch.export on the device of `spec`, TorchScript on the CPU.

    Raises:
        ModelError: the file is not there, is no program or cannot be read, or `spec` gives what programs do not take.
    """
    where, name = spec.where["module"], display_path(path)
    try:
        is_exported = _is_exported(path)
    except UnusableError as error:
        raise ModelError(f"module: {name} {error}", where) from None
    for key in ("module_args", "module_kwargs", "init_method"):
        if getattr(spec, key):
            raise ModelError(f"{key}: {name} is a program, which takes none; remove {key}", spec.where[key])
    with user_code(f"module: loading {name}", where):
        return _exported(path, canonical_device(spec.device)) if is_exported else _scripted(path)


def _exported(path: Path, device: str) -> nn.Module:
    import torch
    from torch.export.passes import move_to_device_pass

    # Its code names devices too, so that the module alone cannot be moved.
    program = move_to_device_pass(torch.export.load(path), device)
    return program.module()


def _scripted(path: Path) -> nn.Module:
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.load` is deprecated")
        module: nn.Module = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
    return module


def _is_exported(path: Path) -> bool:
    """Return whether the program in the file `path` is one of torch.export, rather than TorchScript.

    Raises:
        UnusableError: it is neither.
    """
    if path.is_dir():
        raise UnusableError(f"is a folder; {_PROGRAM}, or transformers_class for a folder of pretrained weights")
    kind = kind_of(path)
    if kind == "other":
        raise UnusableError(f"is no program; {_PROGRAM}")
    if kind not in ("export", "script"):
        raise UnusableError(_NO_CODE)
    return kind == "export"
