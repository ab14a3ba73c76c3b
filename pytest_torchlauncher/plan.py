"""What a launcher file asks for, fully typed: each class is one mapping of the file, its signature the schema.

`Evaluation` is one model × launcher × dataset, the unit that pytest collects.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_core import CoreSchema, core_schema

from .gate import Gate, Reference
from .input_spec import InputSpec, choice
from .kinds import Adapter, Converter, Metric, Postprocessor, Preprocessor, Reader
from .options import ByType, Compat, Component, OneOrMany, PositiveInt, Spec, Where
from .paths import DataPath, FilePath, ModelPath, ModuleName
from .refusal import found, refused
from .types import Size

__all__ = ["Amount", "DatasetSpec", "Evaluation", "LauncherSpec", "MetricSpec"]


@dataclass(frozen=True)
class LauncherSpec(Spec):
    """An entry of ``launchers`` with ``framework: pytorch``, for one device.

    Args:
        framework: ``pytorch``; other frameworks are skipped.
        module: class or factory as a dotted path, or a TorchScript or torch.export file.
        adapter: what turns the raw outputs into predictions.
        device: where the module runs, as torch spells it.
        checkpoint: file with the weights.
        checkpoint_url: where the weights are fetched from, once, into torch's hub cache.
        checkpoint_sha256: of what `checkpoint_url` gives, in hexadecimal.
        checkpoint_weights_only: whether the checkpoint may hold tensors only; else loading it runs its code.
        state_key: dotted key of the state dict in the checkpoint.
        strict: whether the checkpoint's keys must be those of the module.
        python_path: folders that are importable while the launcher is in use.
        module_args: positional arguments of the class or factory.
        module_kwargs: named arguments of it.
        init_method: method of the built module, whose result replaces it.
        transformers_class: class of ``transformers``; `module`, or `python_path`, is then a pretrained name or folder.
        batch: samples that go through the module together.
        inputs: the module's arguments, where there are several.
        output_names: of the members of a tuple that the module returns.
        precision: dtype of the module, or of autocast (``amp_…``); the module's own, fp32 as a rule, by default.
        channels_last: memory format; ``auto`` is channels last for modules with 4-D convolution weights.
        use_torch_compile: whether ``torch.compile`` is applied, with `torch_compile_kwargs`.
        torch_compile_kwargs: arguments of ``torch.compile``.
        tags: names that select this launcher and tell it from others.
        compat: ``accuracy_checker`` feeds what the Accuracy Checker's code feeds, where its documentation differs.
    """

    framework: Literal["pytorch"]
    module: ModuleName
    adapter: Annotated[Component[Adapter], ByType]
    device: str = "cpu"
    checkpoint: ModelPath | None = None
    checkpoint_url: str | None = None
    checkpoint_sha256: str | None = None
    checkpoint_weights_only: bool = True
    state_key: str | None = None
    strict: bool = True
    python_path: Annotated[tuple[FilePath, ...], OneOrMany] = ()
    module_args: tuple[Any, ...] = ()
    module_kwargs: Mapping[str, Any] = field(default_factory=dict)
    init_method: str | None = None
    transformers_class: str | None = None
    batch: PositiveInt = 1
    inputs: tuple[InputSpec, ...] = ()
    output_names: Annotated[tuple[str, ...], OneOrMany] = ()
    precision: Annotated[str, choice("fp32", "fp16", "bf16", "amp_fp16", "amp_bf16")] | None = None
    channels_last: bool | Literal["auto"] = "auto"
    use_torch_compile: bool = False
    torch_compile_kwargs: Mapping[str, Any] = field(default_factory=dict)
    tags: Annotated[tuple[str, ...], OneOrMany] = ()
    compat: Compat = None
    where: Where = field(default_factory=Where, compare=False, repr=False)


@dataclass(frozen=True)
class MetricSpec:
    """An entry of ``metrics``: the metric under its unique name in the dataset, and what it is judged by.

    `annotation_source` and `prediction_source` are the names of what it measures, where a sample has several.
    """

    name: str
    metric: Component[Metric[Any, Any]]
    gate: Gate
    annotation_source: str | None = None
    prediction_source: str | None = None
    reference: Reference | None = None


@dataclass(frozen=True)
class Amount:
    """How many of a collection: a number of them, or a percentage."""

    number: float
    percent: bool = False

    def of(self, total: int) -> int:
        """Return how many of `total` that is, at least 1; it may be more than there are."""
        return max(int(total * self.number / 100), 1) if self.percent else int(self.number)

    def leaves_out(self, taken: int) -> bool:
        """Return whether a collection of which `taken` were taken may have had more."""
        return self.number < 100 if self.percent else taken >= self.number

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        """Return a schema that reads ``500`` and ``"10%"``."""
        return core_schema.no_info_plain_validator_function(cls.read)

    @classmethod
    def read(cls, raw: Any) -> Amount:
        """Return the amount that `raw` says.

        Raises:
            PydanticCustomError: it says none.
        """
        text = str(raw).strip()
        try:
            amount = cls(float(text.removesuffix("%")), text.endswith("%"))
        except ValueError:
            amount = cls(0)
        if isinstance(raw, bool) or not 0 < amount.number < math.inf or not (amount.percent or text.isdigit()):
            raise refused(f"{found(raw)} found, a whole number above 0 or a percentage expected")
        return amount


@dataclass(frozen=True)
class DatasetSpec(Spec):
    """An entry of ``datasets``; `metrics` are built beside it, since they share their mapping with gate keys.

    Args:
        name: of the dataset, unique in the model.
        data_source: folder of the images or other items.
        segmentation_masks_source: folder of annotations that lie in files of their own, where it is another.
        additional_data_source: the same, for other annotations than masks.
        annotation_conversion: the converter.
        fixture: the pytest fixture that gives the samples instead.
        reader: of the items.
        preprocessing: steps before the model.
        postprocessing: steps after the adapter.
        batch: samples that go through the model together; that of the launcher where it is left out.
        subsample_size: how many samples are drawn, or which percentage of all; all of them by default.
        subsample_seed: of the drawing.
        shuffle: whether samples are drawn at random and in random order, or the first are taken.
    """

    name: str
    data_source: DataPath | None = None
    segmentation_masks_source: DataPath | None = None
    additional_data_source: DataPath | None = None
    annotation_conversion: Annotated[Component[Converter], ByType] | None = None
    fixture: str | None = None
    reader: Annotated[Component[Reader], ByType] | None = None
    preprocessing: tuple[Annotated[Component[Preprocessor], ByType], ...] | None = ()
    postprocessing: tuple[Annotated[Component[Postprocessor], ByType], ...] | None = ()
    batch: PositiveInt | None = None
    subsample_size: Amount | None = None
    subsample_seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 666
    shuffle: bool = True
    where: Where = field(default_factory=Where, compare=False, repr=False)


@dataclass(frozen=True)
class Evaluation:
    """One model × launcher × dataset of a launcher file; `selfcheck` asks for a check of the evaluation itself."""

    model: str
    launcher: LauncherSpec
    dataset: DatasetSpec
    metrics: tuple[MetricSpec, ...]
    selfcheck: bool = False

    @property
    def batch(self) -> int:
        """The batch size: the dataset's if set, else the launcher's.

        It is 1 where the launcher has an LSTM_INPUT: what one step leaves to the next belongs to one sequence.
        """
        if any(entry.type == "LSTM_INPUT" for entry in self.launcher.inputs):
            return 1
        return self.dataset.batch or self.launcher.batch

    @property
    def input_size(self) -> Size | None:
        """Height and width of the module's image input, as far as the launcher states them."""
        return next((size for entry in self.launcher.inputs if (size := entry.image_size)), None)

    @property
    def variant(self) -> str:
        """What tells this launcher from others of the model: its tags."""
        return "-".join(self.launcher.tags)
