"""What an evaluation gives: values, per-sample outcomes, and what was measured where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .arrays import Array
from .drawings import Drawing

__all__ = [
    "Control",
    "Curve",
    "DataProvenance",
    "Environment",
    "Evidence",
    "Measurement",
    "MetricValue",
    "ModelProvenance",
    "Outcomes",
    "RunProvenance",
    "Seconds",
    "Stop",
    "Thumbnail",
]


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
    ``digest`` (uint32) tells whether a sample's content or annotation is another. `evidence` holds, under
    ``<metric>/<part>``, what a metric needs to be summarised over any part of the samples, where the outcomes of the
    samples alone are not enough.
    """

    ids: tuple[str, ...]
    columns: Mapping[str, Array]
    evidence: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What each sample contributes to a metric, and how any collection of contributions is summarised or drawn."""

    items: Sequence[Any]
    summarize: Callable[[Sequence[Any]], float]
    curves: Callable[[Sequence[Any]], Mapping[str, Curve]] = lambda items: {}


@dataclass(frozen=True, slots=True)
class Stop:
    """An evaluation that ended before its last sample: no remaining outcome could have let `metric` pass.

    Args:
        metric: its name.
        bound: the best value that it could still have had.
        seen: how many samples were measured.
        total: how many there are.
    """

    metric: str
    bound: float
    seen: int
    total: int


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
class Control:
    """A negative control: values over `count` samples with their own annotations and with those of others."""

    count: int
    own: Mapping[str, MetricValue]
    permuted: Mapping[str, MetricValue]


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A small picture of a sample as the bytes of a WebP or PNG file, and what is annotated there.

    Args:
        content: empty where the sample is no image.
        size: of the original image, px; None where it is no image.
        annotation: None where nothing of it can be drawn.
    """

    content: bytes
    size: tuple[int, int] | None
    annotation: Drawing | None


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Points (N,) of a curve, `x` rising: precision over recall, say."""

    x: Array
    y: Array


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """The result of one evaluation, before any baseline is looked at.

    Args:
        metrics: by name.
        definitions: of each metric as text: ``accuracy(top_k=1)``.
        outcomes: of each sample.
        data, model, run, environment: what was measured, how and where.
        seconds: what it took.
        evidence: of each metric whose value is not the mean of its per-sample outcomes.
        groups: by key of the samples' metadata, or ``class``: the groups of each sample.
        classes: names of the class indices.
        drawings: what of each sample's prediction can be shown, in the order of `outcomes`; empty where nothing can.
        thumbnails: of the samples that were asked for, by their position.
        is_subset: whether only a part of the dataset was asked for.
        reruns: of each metric the values of further runs, where some were asked for.
        findings: what a self-check found wrong, a sentence each.
        control: the values with the right and with wrong annotations, of a self-check.
        stopped: why the evaluation ended early, if it did.
    """

    metrics: Mapping[str, MetricValue]
    definitions: Mapping[str, str]
    outcomes: Outcomes
    data: DataProvenance
    model: ModelProvenance
    run: RunProvenance
    environment: Environment
    seconds: Seconds
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    groups: Mapping[str, Sequence[tuple[str, ...]]] = field(default_factory=dict)
    classes: Mapping[int, str] = field(default_factory=dict)
    drawings: Sequence[Drawing | None] = ()
    thumbnails: Mapping[int, Thumbnail] = field(default_factory=dict)
    is_subset: bool = False
    reruns: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    control: Control | None = None
    stopped: Stop | None = None
