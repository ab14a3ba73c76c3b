"""What a launcher file asks for, fully typed: each class is one mapping of the file, its signature the schema.

`Evaluation` is one model × launcher × dataset, the unit that pytest collects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from .kinds import Adapter, Converter, Metric, Postprocessor, Preprocessor, Reader
from .options import ByType, Component, DataPath, FilePath, ModelPath, OneOrMany, PositiveInt, Spec, Where

__all__ = ["DatasetSpec", "Evaluation", "Gate", "LauncherSpec", "MetricSpec"]


@dataclass(frozen=True)
class Gate(Spec):
    """How much a metric may change; keys left out are taken from the level above.

    Args:
        margin: allowed drop against the baseline, absolute (0.005) or relative to it ("0.5%"). Without it what
            changed since the baseline decides.
        on_improve: what an improvement does: pass (named in the summary), warn or fail.
    """

    margin: float | str | None = None
    on_improve: Literal["pass", "warn", "fail"] | None = None
    where: Where = field(default_factory=Where, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check the margin.

        Raises:
            ValueError: it is negative, or text that is no percentage.
        """
        if self.margin is not None:
            self.allowed(1.0)

    def allowed(self, baseline: float) -> float | None:
        """Return the margin in units of the metric, given the `baseline` value; None without a margin."""
        if self.margin is None:
            return None
        text = str(self.margin).strip()
        relative = text.endswith("%")
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            number = -1.0
        if not number >= 0:
            raise ValueError(f"margin: {self.margin!r} found, a number of at least 0 or a percentage expected")
        return abs(baseline) * number / 100 if relative else number

    def over(self, base: Gate) -> Gate:
        """Return this gate with what it leaves open taken from `base`."""
        return Gate(
            self.margin if self.margin is not None else base.margin,
            self.on_improve or base.on_improve,
            self.where,
        )


@dataclass(frozen=True)
class LauncherSpec(Spec):
    """An entry of ``launchers`` with ``framework: pytorch``."""

    framework: Literal["pytorch"]
    module: str
    adapter: Annotated[Component[Adapter], ByType]
    device: str = "cpu"
    checkpoint: ModelPath | None = None
    state_key: str | None = None
    python_path: Annotated[tuple[FilePath, ...], OneOrMany] = ()
    module_args: tuple[Any, ...] = ()
    module_kwargs: Mapping[str, Any] = field(default_factory=dict)
    batch: PositiveInt = 1
    output_names: Annotated[tuple[str, ...], OneOrMany] = ()
    tags: Annotated[tuple[str, ...], OneOrMany] = ()
    where: Where = field(default_factory=Where, compare=False, repr=False)


@dataclass(frozen=True)
class MetricSpec:
    """An entry of ``metrics``: the metric under its unique name in the dataset."""

    name: str
    metric: Component[Metric]
    gate: Gate


@dataclass(frozen=True)
class DatasetSpec(Spec):
    """An entry of ``datasets``; `metrics` are built beside it, since they share their mapping with gate keys."""

    name: str
    data_source: DataPath | None = None
    annotation_conversion: Annotated[Component[Converter], ByType] | None = None
    fixture: str | None = None
    reader: Annotated[Component[Reader], ByType] | None = None
    preprocessing: tuple[Annotated[Component[Preprocessor], ByType], ...] | None = ()
    postprocessing: tuple[Annotated[Component[Postprocessor], ByType], ...] | None = ()
    batch: PositiveInt | None = None
    where: Where = field(default_factory=Where, compare=False, repr=False)


@dataclass(frozen=True)
class Evaluation:
    """One model × launcher × dataset of a launcher file."""

    model: str
    launcher: LauncherSpec
    dataset: DatasetSpec
    metrics: tuple[MetricSpec, ...]

    @property
    def batch(self) -> int:
        """The batch size: the dataset's if set, else the launcher's."""
        return self.dataset.batch or self.launcher.batch

    @property
    def variant(self) -> str:
        """What tells this launcher from others of the model: its tags."""
        return "-".join(self.launcher.tags)
