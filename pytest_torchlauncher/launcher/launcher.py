"""The launcher: a module that is built, loaded and placed, and takes batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, OutputError
from ..plan import LauncherSpec
from ..types import Batch, Outputs
from .checkpoint import load_checkpoint
from .device import select_device
from .environment import describe_environment, describe_model
from .inputs import to_tensors
from .module import build_module, importable
from .outputs import check_finite, flatten, to_arrays
from .reproducible import reproducible
from .wording import described, user_code

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["Launcher", "launch"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True


class Launcher:
    """A module ready to run: `device` it is on, `model` and `environment` that go with its results."""

    def __init__(self, spec: LauncherSpec, module: nn.Module, device: torch.device) -> None:
        self.device = device
        self.model = describe_model(module, spec)
        self.environment = describe_environment(device)
        self._spec = spec
        self._dtype = _floating_dtype(module)
        self._module: nn.Module | None = module

    def forward(self, inputs: Any) -> dict[str, torch.Tensor]:
        """Run the module.

        Args:
            inputs: what goes to ``forward``: a tensor or array, a tuple of positional or a mapping of named ones. Of
                arrays 4-D ones are images (B, H, W, C) and become (B, C, H, W); tensors are fed as they stand.

        Returns:
            The named raw outputs, each (B, …) on the launcher's device.

        Raises:
            ModelError: the module raised an exception, or was released.
            OutputError: it returned something else than tensors, or not what ``output_names`` names.
        """
        import torch

        where = self._spec.where
        if self._module is None:
            raise ModelError(f"module: {self._spec.module} was released when its launcher ended", where["module"])
        args, kwargs = _arguments(to_tensors(inputs, self.device, self._dtype))
        doing, context = f"module: forward of {self._spec.module}", _described_inputs(args, kwargs)
        with torch.inference_mode(), user_code(doing, where["module"], context):
            raw = self._module(*args, **kwargs)
        try:
            return flatten(raw, self._spec.output_names)
        except OutputError as error:
            key = "output_names" if self._spec.output_names else "module"
            raise error.placed(where[key], f"outputs of {self._spec.module}") from None

    def predict(self, batch: Batch) -> Outputs:
        """Return the module's outputs for `batch`, each an array (B, …).

        Raises:
            ModelError, OutputError: as `forward`.
            NonFiniteError: an output has NaN or infinity.
        """
        outputs = to_arrays(self.forward(batch.data))
        try:
            check_finite(outputs, [sample.identifier for sample in batch.samples])
        except OutputError as error:
            raise error.placed(self._spec.where["module"], self._spec.module) from None
        return outputs

    def release(self) -> None:
        """Let go of the module."""
        self._module = None


@contextmanager
def launch(spec: LauncherSpec) -> Iterator[Launcher]:
    """Build the module of `spec`, load its checkpoint and put it on its device, in evaluation mode.

    Inside the block ``python_path`` is importable and runs are reproducible; at its end the module is released.

    Raises:
        MissingDeviceError: this machine lacks the device.
        MissingExtraError: the checkpoint's format needs an optional package.
        ModelError: the module cannot be imported, built, loaded or placed.
    """
    with importable(spec.python_path, spec.where["python_path"]):
        with reproducible():
            launcher = _launcher(spec)
        # Again: importing a project's code may change the settings, and building takes random numbers or not.
        with reproducible():
            try:
                yield launcher
            finally:
                launcher.release()


def _launcher(spec: LauncherSpec) -> Launcher:
    device = select_device(spec.device, spec.where["device"])
    module = build_module(spec)
    load_checkpoint(module, spec)
    with user_code(f"module: placing {spec.module} on {device}", spec.where["module"]):
        module.eval()
        module.to(device)
    return Launcher(spec, module, device)


def _floating_dtype(module: nn.Module) -> torch.dtype:
    import torch

    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


def _arguments(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return `inputs` as positional and named arguments."""
    if isinstance(inputs, Mapping):
        return (), dict(inputs)
    return (inputs if isinstance(inputs, tuple) else (inputs,)), {}


def _described_inputs(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    import torch

    def one(value: Any) -> str:
        return described(value) if isinstance(value, torch.Tensor) else type(value).__name__

    inputs = [*map(one, args), *(f"{name} {one(value)}" for name, value in kwargs.items())]
    return f" (input{'s' if len(inputs) > 1 else ''} {', '.join(inputs)})"
