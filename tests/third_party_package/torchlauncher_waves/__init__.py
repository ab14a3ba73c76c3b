"""One block of each kind, for models that estimate the amplitude and the offset of a wave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_torchlauncher import (
    Adapter,
    Annotated,
    Annotations,
    Batch,
    Color,
    Converter,
    Data,
    DataError,
    DataPath,
    DatasetMeta,
    Metric,
    MetricValue,
    Outputs,
    Pair,
    Postprocessor,
    Preprocessor,
    Reader,
    Sample,
    Values,
    register,
)


@register("wave_table")
@dataclass(frozen=True, kw_only=True)
class WaveTable(Converter):
    """Lines of a file name, an amplitude and an offset.

    Args:
        table: the file.
    """

    table: DataPath

    def convert(self) -> Annotations:
        rows = [line.split() for line in self.table.read_text().splitlines()]
        return Annotations([Annotated(name, Values(np.array(values, float))) for name, *values in rows])


@register("wave_reader")
@dataclass(frozen=True, kw_only=True)
class WaveReader(Reader):
    """Numbers (N,) float32 as bytes."""

    def decode(self, content: bytes) -> tuple[Data, Color | None]:
        return np.frombuffer(content, np.float32), None


@register("wave_gain")
@dataclass(frozen=True, kw_only=True)
class WaveGain(Preprocessor):
    """Multiplies a wave.

    Args:
        factor: what by.
    """

    factor: float

    def apply(self, sample: Sample) -> Sample:
        return sample.with_data(np.asarray(sample.data) * np.float32(self.factor))


@register("wave_parameters")
@dataclass(frozen=True, kw_only=True)
class WaveParameters(Adapter):
    """Rows (B, 2) of amplitude and offset."""

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Values]:
        return [Values(row) for row in outputs.select()]


@register("wave_rounding")
@dataclass(frozen=True, kw_only=True)
class WaveRounding(Postprocessor):
    """Rounds the prediction.

    Args:
        decimals: that stay.
    """

    decimals: int = 1

    def apply(self, pair: Pair) -> Pair:
        return replace(pair, prediction=Values(pair.prediction.values.round(self.decimals)))


@register("wave_hits")
@dataclass(frozen=True, kw_only=True)
class WaveHits(Metric[Values, Values]):
    """The fraction of waves whose parameters are both right.

    Args:
        tolerance: how far off is right.
    """

    tolerance: float = 0.01

    def observe(self, annotations: Sequence[Values], predictions: Sequence[Values]) -> Sequence[bool]:
        pairs = zip(annotations, predictions, strict=True)
        return [bool(np.allclose(truth.values, p.values, atol=self.tolerance)) for truth, p in pairs]

    def summarize(self, evidence: Sequence[bool], meta: DatasetMeta) -> MetricValue:
        if not len(evidence):
            raise DataError("no wave found")
        hits = np.array(evidence, float)
        return MetricValue(float(hits.mean()), per_sample=hits)
