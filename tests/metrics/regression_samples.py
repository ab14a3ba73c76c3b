"""Random annotated and estimated values with ties, zeros and negative ones, for comparisons with other packages."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from pytest_torchlauncher.types import DatasetMeta, Values


@st.composite
def arrays(draw):
    """Draw arrays (N, …) of the truth and of estimates."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    shape = (draw(st.integers(1, 7)), *draw(st.sampled_from([(), (1,), (5,), (3, 4), (2, 3, 4)])))
    truth, estimate = rng.normal(scale=3, size=(2, *shape))
    return (truth.round(), estimate.round()) if draw(st.booleans()) else (truth, estimate)


def measured(metric, truth, estimate):
    """Return what `metric` says about arrays (N, …)."""
    evidence = metric.observe([Values(value) for value in truth], [Values(value) for value in estimate])
    return metric.summarize(evidence, DatasetMeta())


def flat(values):
    """Return `values` (N, …) as N vectors."""
    return values.reshape(len(values), -1)
