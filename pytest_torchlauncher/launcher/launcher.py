"""The launcher: a module that is built, loaded and placed, and takes batches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import DataError, LauncherError, ModelError, OutputError, told
from ..plan import LauncherSpec
from ..reads import recording, repeated, unnoticed
from ..types import Batch, Outputs, RunProvenance, Sample
from .calling import Arguments
from .device import select_device
from .environment import describe_environment, describe_model
from .importing import importable
from .importing_much import importing_much
from .kept import Built, Models
from .loading import load_module
from .outputs import Tensors, check_finite, flatten, has_entry_by_sample, join, stack, to_arrays
from .placement import PlacedModule
from .reproducible import SEED, defaults_kept, reproducible
from .sequence import carried, steps_of
from .threads import divided_threads

if TYPE_CHECKING:
    import torch

__all__ = ["Launcher", "launch"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True

_VIEW = re.compile("view size is not compatible|Cannot view a tensor")
"""What torch and torch.compile say of a ``.view()`` that works in plain memory only."""


class Launcher:
    """A module ready to run: `device` it is on, `model` and `environment` that go with its results."""

    def __init__(self, spec: LauncherSpec, built: Built) -> None:
        self.device = built.device
        self.model = built.model
        self.environment = describe_environment(built.device)
        self._spec = spec
        self._differing_keys = built.missing_keys, built.unexpected_keys
        self._placed: PlacedModule | None = built.placed
        self._largest: int | None = None
        self._lists: bool | None = None

    def forward(self, inputs: Any) -> Tensors:
        """Run the module.

        Args:
            inputs: what goes to ``forward``: a tensor or array, a list with one a sample, a tuple of positional or a
                mapping of named arguments. Of arrays 4-D ones are images (B, H, W, C) and become (B, C, H, W); tensors
                are fed as they stand.

        Returns:
            The named raw outputs, each (B, …) on the launcher's device, or a tuple with a tensor a sample.

        Raises:
            ModelError: the module raised an exception, or was released.
            OutputError: it returned something else than tensors, or not what ``output_names`` names.
        """

        def arguments() -> Arguments:
            fed = self._module.feeder.converter.structure(inputs)
            if isinstance(fed, Mapping):
                return Arguments((), fed)
            return Arguments(fed if isinstance(fed, tuple) else (fed,))

        return self._run(arguments)

    def predict(self, batch: Batch) -> Outputs:
        """Return the module's outputs for `batch`, each (B, …).

        What does not fit in the device's memory is run in halves, from then on all batches are. With an LSTM_INPUT
        a sample's tuple is a sequence of steps, and its outputs are (1, T, …).

        Raises:
            DataError: the samples are not what ``inputs`` describes.
            ModelError, OutputError: as `forward`.
            NonFiniteError: an output has NaN or infinity.
        """
        if any(entry.type == "LSTM_INPUT" for entry in self._spec.inputs):
            outputs = join([self._sequence(sample) for sample in batch.samples], [1] * len(batch.samples))
        else:
            outputs = self._fitting(batch.samples)
        try:
            check_finite(outputs, [sample.identifier for sample in batch.samples])
        except OutputError as error:
            raise error.placed(self._spec.where["module"], self._spec.module) from None
        return outputs

    def in_training(self) -> tuple[str, ...]:
        """Return the names of the parts of the module that are in training mode, ``module`` for the whole."""
        return self._module.in_training()

    def provenance(self, batch: int) -> RunProvenance:
        """Return how the module was run, in batches of `batch` where that fitted."""
        missing, unexpected = self._differing_keys
        return RunProvenance(
            batch=batch,
            batch_effective=min(batch, self._largest or batch),
            precision=self._module.precision,
            tf32=False,
            compile=self._spec.use_torch_compile,
            seed=SEED,
            channels_last=self._module.channels_last,
            missing_keys=missing,
            unexpected_keys=unexpected,
        )

    def release(self) -> None:
        """Let go of the module."""
        self._placed = None

    @property
    def _module(self) -> PlacedModule:
        if self._placed is None:
            message = f"module: {self._spec.module} was released when its launcher ended"
            raise ModelError(message, self._spec.where["module"])
        return self._placed

    def _fitting(self, samples: Sequence[Sample]) -> Outputs:
        """Return the outputs for `samples`, in parts that fit in the device's memory."""
        size = min(len(samples), self._largest or len(samples))
        parts = [samples[start : start + size] for start in range(0, len(samples), size)]
        try:
            outputs = [self._arrays(self._outputs(part)) for part in parts]
        except LauncherError as error:
            if size == 1 or not _is_out_of_memory(error.__cause__):
                raise
        else:
            with told(f"outputs of {self._spec.module}", self._spec.where["batch"], OutputError):
                return join(outputs, list(map(len, parts)))
        # Outside the handler, since the exception's frames hold on to the memory.
        _free_memory(self.device)
        self._largest = size // 2
        return self._fitting(samples)

    def _sequence(self, sample: Sample) -> Outputs:
        """Return the outputs of all steps of `sample`, the state carried from one to the next."""
        state: Mapping[str, torch.Tensor] = {}
        outputs = []
        for step in steps_of(sample):
            tensors = self._outputs([step], state)
            state = carried(tensors, self._spec.inputs)
            outputs.append(self._arrays(tensors))
        return stack(outputs) if isinstance(sample.data, tuple) else outputs[0]

    def _arrays(self, tensors: Tensors) -> Outputs:
        with told(f"outputs of {self._spec.module}", self._spec.where["module"], OutputError):
            return to_arrays(tensors)

    def _outputs(self, samples: Sequence[Sample], state: Mapping[str, torch.Tensor] | None = None) -> Tensors:
        def arguments() -> Arguments:
            with told("inputs", self._spec.where["inputs"], DataError):
                return self._module.feeder.feed(samples, state)

        return self._run(arguments, len(samples))

    def _run(self, arguments: Callable[[], Arguments], batch: int | None = None) -> Tensors:
        """Return the outputs for `arguments`, which are made anew where the memory format must change."""
        try:
            return self._called(arguments(), batch)
        except ModelError as error:
            chosen = self._spec.channels_last == "auto" and self._module.channels_last
            if not chosen or not _VIEW.search(str(error.__cause__)):
                raise
        self._module.leave_channels_last()
        return self._called(arguments(), batch)

    def _called(self, arguments: Arguments, batch: int | None) -> Tensors:
        raw = self._module.call(arguments)
        try:
            return flatten(raw, self._spec.output_names, by_sample=self._by_sample(raw, arguments, batch))
        except OutputError as error:
            key = "output_names" if self._spec.output_names else "module"
            raise error.placed(self._spec.where[key], f"outputs of {self._spec.module}") from None

    def _by_sample(self, raw: Any, arguments: Arguments, batch: int | None) -> bool:
        """Return whether `raw` is a list with an entry a sample; what the first batch shows holds for all."""
        given = [*arguments.args, *arguments.kwargs.values()]
        lists = [value for value in given if isinstance(value, list)]
        count = batch or next((len(value) for value in [*lists, *given] if _has_length(value)), 0)
        names = self._spec.output_names
        if batch is None or self._lists is None:
            found = has_entry_by_sample(raw, names, count, lists=bool(lists))
            self._lists = self._lists if batch is None else found
            return found
        if self._lists and (not isinstance(raw, list) or len(raw) != batch):
            found_kind = f"a list of {len(raw)}" if isinstance(raw, list) else f"a {type(raw).__name__}"
            raise OutputError(
                f"{found_kind} for {batch} samples, after lists with an entry a sample; the same expected"
            )
        return self._lists


@contextmanager
def launch(spec: LauncherSpec, models: Models | None = None) -> Iterator[Launcher]:
    """Build the module of `spec`, load its checkpoint and put it on its device, in evaluation mode.

    Inside the block ``python_path`` is importable and runs are reproducible; at its end the module is released, unless
    `models` keeps it for others of the same specification, which then need not build it again.

    Raises:
        MissingDeviceError: this machine lacks the device.
        MissingExtraError: the checkpoint's format or the module needs an optional package.
        ModelError: the module cannot be imported, built, loaded or placed.
    """
    with importing_much(), unnoticed():
        import torch  # noqa: F401  # once, and first
    models = models or Models()
    built = models.taken(spec)
    modules = dict(built.modules) if built else {}
    with defaults_kept(), divided_threads(), importable(spec.python_path, spec.where["python_path"], modules):
        with reproducible():
            built = _again(built) if built else _built(spec, watched=models.are_needed(spec))
            launcher = Launcher(spec, built)
        # Again: importing a project's code may change the settings, and building takes random numbers or not.
        with reproducible():
            try:
                yield launcher
            finally:
                launcher.release()
    models.keep(spec, replace(built, modules=modules))


def _built(spec: LauncherSpec, *, watched: bool) -> Built:
    with recording(part=True) as reads:
        device = select_device(spec.device, spec.where["device"])
        loaded = load_module(spec)
        model = describe_model(loaded.module, spec)
        placed = PlacedModule(loaded.module, spec, device)
    return replace(Built.of(placed, device, model, loaded, watched=watched), reads=reads)


def _again(built: Built) -> Built:
    """Return `built` after what else building it did."""
    built.defaults.set()
    repeated(built.reads)
    return built


def _has_length(value: Any) -> bool:
    return isinstance(value, list) or bool(getattr(value, "ndim", 0))


def _is_out_of_memory(cause: BaseException | None) -> bool:
    import torch

    return isinstance(cause, torch.OutOfMemoryError)


def _free_memory(device: torch.device) -> None:
    """Give memory that torch keeps for later back to the device."""
    import torch

    backends = {"cuda": torch.cuda, "xpu": torch.xpu, "mps": torch.mps}
    if device.type in backends:
        backends[device.type].empty_cache()
