"""Where a module ran, and which module it was."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..plan import LauncherSpec
from ..types import Environment, ModelProvenance

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["describe_environment", "describe_model", "digest_of_tensors"]


def describe_environment(device: torch.device) -> Environment:
    """Return the hardware and the versions that a result on `device` depends on."""
    import torch

    return Environment(
        device=device.type,
        device_name=_device_name(device),
        torch=str(torch.__version__),
        torchvision=_version("torchvision"),
        numpy=_version("numpy"),
        cuda=torch.version.cuda or "",
        cpu_capability=torch.backends.cpu.get_cpu_capability(),
        python=platform.python_version(),
        plugin=_version("pytest-torchlauncher"),
    )


def _device_name(device: torch.device) -> str:
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "xpu":
        return torch.xpu.get_device_name(device)
    return _cpu_name()


def _cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def _version(distribution: str) -> str:
    """Return the installed version of `distribution`, ``0`` if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "0"


def describe_model(module: nn.Module, spec: LauncherSpec) -> ModelProvenance:
    """Return the hashes of what `module` has learned and of the arguments it was built with.

    Both are SHA-256 in hexadecimal and the same on every device: `weights` over names, dtypes, shapes and bytes of
    the state dict in the order of names, `config` over ``module_args``, ``module_kwargs`` and ``init_method`` as JSON.
    """
    method = [spec.init_method] if spec.init_method else []
    arguments = json.dumps([spec.module_args, dict(spec.module_kwargs), *method], sort_keys=True, default=str)
    return ModelProvenance(
        digest_of_tensors(module.state_dict().items()), hashlib.sha256(arguments.encode()).hexdigest()
    )


def digest_of_tensors(named: Iterable[tuple[str, Any]]) -> str:
    """Return the SHA-256 in hexadecimal over names, dtypes, shapes and bytes in the order of names.

    What is no tensor, or has no values yet, is left out.
    """
    import torch
    from torch.nn.parameter import is_lazy

    digest = hashlib.sha256()
    for name, value in sorted(named, key=lambda pair: pair[0]):
        # A module's extra state may be any object; it has no bytes that are the same in every process.
        if isinstance(value, torch.Tensor) and not is_lazy(value):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            digest.update(_bytes(value.detach()))
    return digest.hexdigest()


def _bytes(tensor: torch.Tensor) -> bytes | memoryview:
    import torch

    if tensor.is_meta:
        return b""
    dense = tensor if tensor.layout == torch.strided else tensor.to_dense()
    plain = dense.resolve_conj().resolve_neg().cpu().contiguous()
    values: memoryview = plain.reshape(-1).view(torch.uint8).numpy().data
    return values
