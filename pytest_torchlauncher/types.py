"""The frozen types that travel between the stages.

Arrays state shape, dtype, frame and unit. Nothing here imports torch: a tensor is named in annotations only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import OutputError

if TYPE_CHECKING:
    import torch

__all__ = [
    "Annotated",
    "Annotation",
    "Annotations",
    "Array",
    "Batch",
    "Color",
    "Data",
    "DataProvenance",
    "Dataset",
    "DatasetMeta",
    "Environment",
    "Label",
    "Measurement",
    "MetricValue",
    "ModelProvenance",
    "Outcomes",
    "Outputs",
    "Prediction",
    "RunProvenance",
    "Sample",
    "Scores",
    "Seconds",
    "Size",
]

Array: TypeAlias = npt.NDArray[Any]
Data: TypeAlias = "Array | torch.Tensor | tuple[Data, ...] | Mapping[str, Data]"
"""What a sample holds: an image or another array, a tensor, or several of them by name or position."""
Color: TypeAlias = Literal["bgr", "rgb", "gray"]
Size: TypeAlias = tuple[int, int]
"""Height and width, px."""


@dataclass(frozen=True, slots=True)
class Label:
    """A class index, as annotation or as the prediction of a model that returns class ids."""

    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of one sample over all classes: `values` (C,) float, logits or probabilities; the largest wins."""

    values: Array


Annotation: TypeAlias = Label
Prediction: TypeAlias = Scores | Label


@dataclass(frozen=True, slots=True)
class DatasetMeta:
    """What is known of a dataset's classes: `label_map` from class index to name, and the background's index."""

    label_map: Mapping[int, str] = field(default_factory=dict)
    background_label: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """One annotated item of a dataset.

    `data` is set where the annotation file itself holds the image: (H, W, C) uint8 in `color` order. `parts` are the
    files of an item that is made of several.
    """

    identifier: str
    annotation: Annotation
    data: Data | None = None
    color: Color | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """What a converter returns: the items in a stable order, the classes, and where items lie by default."""

    items: Sequence[Annotated]
    meta: DatasetMeta = DatasetMeta()
    root: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One item on its way to the model.

    `data` is an image (H, W, C) uint8 or float, any other array, a tensor that is fed as it stands, or a tuple or
    mapping of them. `digest` is the SHA-256 of the stored bytes, empty where the data came from a fixture.
    `original_size` is that of the image before preprocessing, `resized_size` that after its last resize; None where
    there is none.
    """

    identifier: str
    data: Data
    annotation: Annotation
    color: Color | None = None
    digest: str = ""
    original_size: Size | None = None
    resized_size: Size | None = None

    def __post_init__(self) -> None:
        """Take the original size from the data, unless it is known."""
        if self.original_size is None:
            object.__setattr__(self, "original_size", self.input_size)

    def with_data(self, data: Data, color: Color | None = None) -> Sample:
        """Return this sample with other `data`; `color` stays unless given."""
        return replace(self, data=data, color=color or self.color)

    def resized(self, data: Array) -> Sample:
        """Return this sample with `data`, the image (H, W, C) in another size."""
        height, width, *_ = data.shape
        return replace(self, data=data, resized_size=(height, width))

    @property
    def parts(self) -> Mapping[str, Data]:
        """What this sample is made of, by identifier: names of a mapping, positions of a tuple, else the sample's."""
        if isinstance(self.data, Mapping):
            return self.data
        if isinstance(self.data, tuple):
            return {str(position): part for position, part in enumerate(self.data)}
        return {self.identifier: self.data}

    @property
    def input_size(self) -> Size | None:
        """The size of the data as it stands, of its first image where there are several."""
        sizes = (_image_size(part) for part in self.parts.values())
        return next((size for size in sizes if size), None)


def _image_size(data: Any) -> Size | None:
    """Return the size of an array (H, W, C) or a tensor (…, C, H, W); None of anything else."""
    shape = tuple(getattr(data, "shape", ()))
    if len(shape) < 3:
        return None
    height, width = shape[:2] if isinstance(data, np.ndarray) else shape[-2:]
    return int(height), int(width)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples that go through the model together."""

    samples: tuple[Sample, ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with their classes: what a dataset fixture may return and what every dataset becomes.

    Args:
        samples: `Sample` objects, or pairs (input, target). A tensor input is fed as it stands; an array or PIL
            image is an image (H, W, C) in RGB and goes through the preprocessing. An integer target is a label.
        meta: the dataset's classes.
    """

    samples: Iterable[Any]
    meta: DatasetMeta = DatasetMeta()


class Outputs(Mapping[str, "Array | tuple[Array, ...]"]):
    """The named raw outputs of one batch, in the module's order.

    Each is an array (B, …), or a tuple of B arrays where the module returns a list with an entry a sample.
    """

    def __init__(self, arrays: Mapping[str, Array | tuple[Array, ...]]) -> None:
        self._arrays = dict(arrays)

    def __getitem__(self, name: str) -> Array | tuple[Array, ...]:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def select(self, pattern: str | None = None) -> Array:
        """Return the output named `pattern` or matched by it as a regular expression from the start; None: the first.

        Raises:
            OutputError: no output has that name; the message lists those there are. Or its shape is another for each
                sample.
        """
        name = self._name(pattern)
        output = self._arrays[name]
        if not isinstance(output, tuple):
            return output
        if len({array.shape for array in output}) > 1:
            raise OutputError(f"{name} has another shape for each sample; the module returned {self.describe()}")
        return np.stack(output)

    def by_sample(self, pattern: str | None = None) -> tuple[Array, ...]:
        """Return the output that `select` chooses as one array a sample, whatever their shapes.

        Raises:
            OutputError: no output has that name.
        """
        return tuple(self._arrays[self._name(pattern)])

    def _name(self, pattern: str | None) -> str:
        if pattern is None:
            return next(iter(self._arrays))
        if pattern in self._arrays:
            return pattern
        for name in self._arrays:
            if re.match(pattern, name):
                return name
        raise OutputError(f"no output is named {pattern!r}; the module returned {self.describe()}")

    def describe(self) -> str:
        """Return the outputs in words: names, shapes and dtypes."""
        return ", ".join(f"{name} {_described(output)}" for name, output in self._arrays.items())


def _described(output: Array | tuple[Array, ...]) -> str:
    if isinstance(output, tuple):
        return f"a list of {len(output)}, the first {_described(output[0])}"
    return f"{tuple(output.shape)} {output.dtype}"


@dataclass(frozen=True, slots=True, eq=False)
class MetricValue:
    """A measured metric.

    Args:
        value: the number that is gated, raw (0.9944, not 99.44).
        components: the parts of a vector metric by name (accuracy a class, say).
        per_sample: (N,) float, one outcome a sample in dataset order; None where a metric has none.
        higher_is_better: the metric's direction.
        bounded: whether the metric lies between 0 and 1; a point is then 0.01, else 1 % of the baseline.
        unit: unit of `value`, empty for a fraction.
    """

    value: float
    components: Mapping[str, float] = field(default_factory=dict)
    per_sample: Array | None = None
    higher_is_better: bool = True
    bounded: bool = True
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What is kept of each sample: `ids` (N,) and columns (N,) by name.

    Columns are the per-sample outcomes of the metrics under ``metric:<name>`` and, for classification, ``label``,
    ``prediction`` (class indices) and ``confidence`` (softmax probability of the prediction, rounded to 1e-4).
    """

    ids: tuple[str, ...]
    columns: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class DataProvenance:
    """Which data was measured: sizes and SHA-256 hashes, and the steps as text."""

    count: int
    ids: str
    content: str
    annotations: str
    label_map: str
    preprocessing: tuple[str, ...]
    adapter: str
    postprocessing: tuple[str, ...]
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelProvenance:
    """Which model was measured: hash over names, dtypes, shapes and bytes of its state, and over its arguments."""

    weights: str
    config: str


@dataclass(frozen=True, slots=True)
class RunProvenance:
    """How the model was run.

    `batch_effective` is what fitted in the device's memory. The keys are those by which checkpoint and module differ.
    """

    batch: int
    batch_effective: int
    precision: str
    tf32: bool
    compile: bool
    seed: int
    deterministic: bool = True
    channels_last: bool = False
    missing_keys: tuple[str, ...] = ()
    unexpected_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the model was run."""

    device: str
    device_name: str
    torch: str
    torchvision: str
    numpy: str
    cuda: str
    cpu_capability: str
    python: str
    plugin: str


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock seconds of one evaluation by stage."""

    build: float
    data: float
    forward: float
    metrics: float
    total: float


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """The result of one evaluation, before any baseline is looked at.

    `definitions` holds each metric's definition as text: ``accuracy(top_k=1)``.
    """

    metrics: Mapping[str, MetricValue]
    definitions: Mapping[str, str]
    outcomes: Outcomes
    data: DataProvenance
    model: ModelProvenance
    run: RunProvenance
    environment: Environment
    seconds: Seconds
