"""Programs: modules that torch.export or TorchScript wrote to a file, code included."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import ModelError, display_path
from ..plan import LauncherSpec
from .device import canonical_device
from .wording import user_code

if TYPE_CHECKING:
    from torch import nn

__all__ = ["load_program"]

_PROGRAM = "a file of torch.export.save or torch.jit.save expected"
_NO_CODE = "holds weights but no code; name the class as 'module' and this file as 'checkpoint'"
_LFS_START = b"version https://git-lfs"
_LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_ZIP_START = b"PK\x03\x04"


def load_program(path: Path, spec: LauncherSpec) -> nn.Module:
    """Return the program in the file `path`, that of torch.export on the device of `spec`, TorchScript on the CPU.

    Raises:
        ModelError: the file is not there, is no program or cannot be read, or `spec` gives what programs do not take.
    """
    where, name = spec.where["module"], display_path(path)
    try:
        kind = _kind(path)
    except ValueError as error:
        raise ModelError(f"module: {name} {error}", where) from None
    for key in ("module_args", "module_kwargs", "init_method"):
        if getattr(spec, key):
            raise ModelError(f"{key}: {name} is a program, which takes none; remove {key}", spec.where[key])
    with user_code(f"module: loading {name}", where):
        return _exported(path, canonical_device(spec.device)) if kind == "export" else _scripted(path)


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


def _kind(path: Path) -> Literal["export", "script"]:
    """Tell what wrote the file `path` by its content.

    Raises:
        ValueError: it is neither; says what it is, to be put after its name.
    """
    if not path.exists():
        raise ValueError("does not exist; a file beside the launcher file or below --launcher-models-dir expected")
    if path.is_dir():
        raise ValueError(f"is a folder; {_PROGRAM}, or transformers_class for a folder of pretrained weights")
    with path.open("rb") as file:
        start = file.read(len(_LFS_START))
    if not start:
        raise ValueError("is empty; copy or download it again")
    if start == _LFS_START:
        raise ValueError("is a git-LFS pointer, not the file it stands for; run: git lfs pull")
    if path.suffix == ".safetensors" or start.startswith(_LEGACY_START):
        raise ValueError(_NO_CODE)
    return _kind_of_archive(path, start)


def _kind_of_archive(path: Path, start: bytes) -> Literal["export", "script"]:
    if not start.startswith(_ZIP_START):
        raise ValueError(f"is no program; {_PROGRAM}")
    if not zipfile.is_zipfile(path):
        raise ValueError("is truncated; copy or download it again")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    # The first is what torch.export writes now, the second what it wrote before torch 2.8.
    if any(name.endswith(("/archive_format", "serialized_exported_program.json")) for name in names):
        return "export"
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        return "script"
    raise ValueError(_NO_CODE if any(name.endswith("/data.pkl") for name in names) else f"is no program; {_PROGRAM}")
