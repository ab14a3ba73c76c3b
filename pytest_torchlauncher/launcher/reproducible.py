"""What makes two runs give the same numbers."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

__all__ = ["SEED", "Defaults", "defaults_kept", "generators_kept", "reproducible"]

SEED = 0
"""What the generators start from."""


@contextmanager
def reproducible(seed: int = SEED) -> Iterator[None]:
    """Fix the seeds of `random`, numpy and torch, ask torch for deterministic algorithms, and switch TF32 off.

    Afterwards, also on failure, all of it is as it was, the states of the generators included.
    """
    with ExitStack() as stack:
        stack.enter_context(generators_kept())
        _seed(seed)
        stack.enter_context(_deterministic_algorithms())
        stack.enter_context(_settings())
        yield


@dataclass(frozen=True)
class Defaults:
    """What holds for all of torch: the default dtype and device, and whether gradients are kept."""

    dtype: torch.dtype
    device: torch.device
    grad: bool

    @classmethod
    def now(cls) -> Defaults:
        """Return what holds now."""
        import torch

        return cls(torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled())

    def set(self) -> None:
        """Let this hold."""
        import torch

        torch.set_default_dtype(self.dtype)
        torch.set_grad_enabled(self.grad)
        if torch.get_default_device() != self.device:
            torch.set_default_device(None if self.device.type == "cpu" else self.device)


@contextmanager
def defaults_kept() -> Iterator[None]:
    """Restore afterwards what a module may set for all of torch: default dtype and device, and the use of gradients."""
    defaults = Defaults.now()
    try:
        yield
    finally:
        defaults.set()


@contextmanager
def generators_kept() -> Iterator[None]:
    """Restore afterwards the states of the random generators of `random`, numpy and torch."""
    import torch

    # A device that is not in use yet has no state to keep; asking for one would start it.
    devices = [module for module in (torch.cuda, torch.xpu) if module.is_initialized()]
    states = [(module, module.get_rng_state_all()) for module in devices]
    python, legacy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        torch.set_rng_state(cpu)
        for module, state in states:
            module.set_rng_state_all(state)


def _seed(seed: int) -> None:
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@contextmanager
def _deterministic_algorithms() -> Iterator[None]:
    import torch

    mode = torch.get_deterministic_debug_mode()
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    torch.set_deterministic_debug_mode("warn")
    # Without it every matrix product on CUDA warns that it may not be deterministic.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        with _deterministic_compiler():
            yield
    finally:
        torch.set_deterministic_debug_mode(mode)
        if workspace is None:
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


@contextmanager
def _deterministic_compiler() -> Iterator[None]:
    """Ask torch's compiler too, where it is in use; ``use_deterministic_algorithms`` would import it, in a second."""
    config: Any = sys.modules.get("torch._inductor.config")
    if not hasattr(config, "deterministic"):  # None, or that of an older torch
        yield
        return
    before = config.deterministic
    config.deterministic = True
    try:
        yield
    finally:
        config.deterministic = before


@contextmanager
def _settings() -> Iterator[None]:
    """Switch TF32 and cuDNN's benchmark off, and restore them in the same order."""
    wanted = _wanted_settings()
    saved = []
    for owner, name, _ in wanted:
        # torch refuses to read its older flags where the newer ones were set to something they cannot say.
        with suppress(RuntimeError):
            saved.append((owner, name, getattr(owner, name)))
    for owner, name, value in wanted:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in saved:
            setattr(owner, name, value)


def _wanted_settings() -> list[tuple[Any, str, Any]]:
    """Return objects, attributes and values, the older TF32 flags first: setting one overwrites the newer ones.

    Both are set, since torch raises an error when older flags are read (by ``torch.backends.cudnn.flags``, say) that
    disagree with the newer ones.
    """
    from torch import backends

    matmul, cudnn = backends.cuda.matmul, backends.cudnn
    newer = (matmul, getattr(cudnn, "conv", None), getattr(cudnn, "rnn", None))
    return [
        (cudnn, "benchmark", False),
        (matmul, "allow_tf32", False),
        (cudnn, "allow_tf32", False),
        *((owner, "fp32_precision", "ieee") for owner in newer if hasattr(owner, "fp32_precision")),
    ]
