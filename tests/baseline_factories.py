"""Small measurements and baselines for the tests of this folder."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pytest_torchlauncher.baselines.baseline import Baseline, Key
from pytest_torchlauncher.baselines.outcomes import pack
from pytest_torchlauncher.types import (
    DataProvenance,
    Environment,
    Measurement,
    MetricValue,
    ModelProvenance,
    Outcomes,
    RunProvenance,
    Seconds,
)

KEY = Key("digits_cnn", "digits", "", "cpu", "fp32")
DATA = DataProvenance(
    count=360,
    ids="1d" * 32,
    content="c0" * 32,
    annotations="a0" * 32,
    label_map="1a" * 32,
    preprocessing=("opencv_imread()", "normalization(std=16)"),
    adapter="classification()",
    postprocessing=(),
)
MODEL = ModelProvenance(weights="1a2b3c4d" * 8, config="c1" * 32)
RUN = RunProvenance(batch=64, batch_effective=64, precision="fp32", tf32=False, compile=False, seed=0)
ENVIRONMENT = Environment(
    device="cpu",
    device_name="A processor",
    torch="2.13.0",
    torchvision="0.28.0",
    numpy="2.4.0",
    cuda="",
    cpu_capability="AVX2",
    python="3.12.1",
    plugin="0.1.0",
)


def ids(n: int) -> tuple[str, ...]:
    return tuple(f"{index:04}.png" for index in range(n))


def hits(right: int, n: int = 360, flipped: Mapping[int, float] = {}) -> MetricValue:
    """Return an accuracy whose first `right` of `n` samples are right, but for those `flipped`."""
    per_sample = (np.arange(n) < right).astype(np.float64)
    for index, outcome in flipped.items():
        per_sample[index] = outcome
    return MetricValue(float(per_sample.mean()), per_sample=per_sample)


def plain(value: float, *, higher_is_better: bool = True, bounded: bool = True) -> MetricValue:
    """Return a metric without per-sample outcomes."""
    return MetricValue(value, higher_is_better=higher_is_better, bounded=bounded)


def measured(
    metrics: Mapping[str, MetricValue] | None = None,
    definitions: Mapping[str, str] = {},
    identifiers: tuple[str, ...] | None = None,
    **changes: Mapping[str, Any],
) -> Measurement:
    """Return a measurement; `changes` (data, model, run, environment) replace fields of the defaults above."""
    metrics = {"top1": hits(358)} if metrics is None else metrics
    columns = {f"metric:{name}": m.per_sample for name, m in metrics.items() if m.per_sample is not None}
    n = next((len(column) for column in columns.values()), 360)
    return Measurement(
        metrics=metrics,
        definitions={name: definitions.get(name, "accuracy()") for name in metrics},
        outcomes=Outcomes(identifiers or ids(n), columns),
        data=replace(DATA, **{"count": n, **changes.get("data", {})}),
        model=replace(MODEL, **changes.get("model", {})),
        run=replace(RUN, **changes.get("run", {})),
        environment=replace(ENVIRONMENT, **changes.get("environment", {})),
        seconds=Seconds(0, 0, 0, 0, 0),
    )


def entry(
    key: Key = KEY,
    measurement: Measurement | None = None,
    *,
    reason: str | None = None,
    previous: Mapping[str, float] | None = None,
) -> tuple[Baseline, bytes]:
    """Return what a store writes for `measurement`."""
    measurement = measurement or measured()
    baseline = Baseline.of(key, measurement, reason=reason)
    hashed = previous and "0123456789abcdef"
    return replace(baseline, previous=previous, previous_outcomes=hashed), pack(measurement.outcomes)
