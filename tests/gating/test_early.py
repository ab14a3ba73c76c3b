"""Early fail is exact: it stops only where every way to go on would fail, and it does stop."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from baseline_factories import KEY, hits, measured
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlauncher.baselines.baseline import Baseline
from pytest_torchlauncher.gate import Gate
from pytest_torchlauncher.gating.early import early_fail
from pytest_torchlauncher.gating.judge import judge
from pytest_torchlauncher.types import MetricValue

NONE = np.zeros(0, dtype=np.uint32)
OTHER_WEIGHTS = {"model": {"weights": "9f8e7d6c" * 8}}


def accuracy(column, *, higher_is_better=True):
    column = np.asarray(column, dtype=np.float64)
    return MetricValue(float(column.mean()), per_sample=column, higher_is_better=higher_is_better)


def watch(before, gate):
    stored = measured({"m": before})
    return early_fail(Baseline.of(KEY, stored), stored.outcomes, {"m": gate}, {"m": "accuracy()"})


def stops_after(before, after, gate):
    """Return after how many samples the evaluation ends early; None where it does not."""
    watched, ids = watch(before, gate), measured({"m": before}).outcomes.ids
    for index, outcome in enumerate(after.per_sample):
        if watched.seen([ids[index]], NONE, {"m": np.array([outcome])}, len(ids)):
            return index + 1
    return None


def fails(before, column, gate):
    stored, new = measured({"m": before}), measured({"m": column}, **OTHER_WEIGHTS)
    return judge(KEY, new, {"m": gate}, Baseline.of(KEY, stored), stored.outcomes).failed


GATES = [Gate(0.1, early_fail=True), Gate(0, early_fail=True), Gate("20%", early_fail=True)]
columns = st.lists(st.integers(0, 1), min_size=7, max_size=7)


@pytest.mark.parametrize("gate", [*GATES, Gate(0.05, test="paired", early_fail=True)])
@pytest.mark.parametrize("better", [True, False])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(before=columns, after=columns)
def test_it_stops_exactly_where_every_continuation_fails(gate, better, before, after):
    before, n = accuracy(before, higher_is_better=better), len(before)
    stopped = stops_after(before, accuracy(after, higher_is_better=better), gate)
    for seen in range(1, n):
        rests = itertools.product((0, 1), repeat=n - seen)
        hopeless = all(fails(before, accuracy([*after[:seen], *rest], higher_is_better=better), gate) for rest in rests)
        if hopeless:
            assert gate.is_paired or stopped == seen
            break
        assert stopped is None or stopped > seen


def test_a_paired_gate_stops_too():
    before, after = hits(200, n=200), accuracy(hits(100, n=200).per_sample[::-1])
    assert stops_after(before, after, Gate(0.05, test="paired", early_fail=True)) < 100


@pytest.mark.parametrize(
    "gate", [Gate(0.01), Gate(early_fail=True), Gate(0.01, early_fail=False)], ids=["off", "no margin", "false"]
)
def test_nothing_stops_unless_it_is_asked_for_with_a_margin(gate):
    assert watch(hits(9, n=10), gate) is None


def test_other_samples_than_the_baselines_are_never_given_up():
    watched = watch(hits(10, n=10), GATES[0])
    assert watched.seen(["other.png"], NONE, {"m": np.zeros(1)}, 10) is None
    assert [watched.seen([f"{i:04}.png"], NONE, {}, 10) for i in range(1, 10)] == [None] * 9
    watched = watch(hits(10, n=10), GATES[0])
    assert watched.seen(["0000.png", "0001.png"], NONE, {"m": np.zeros(2)}, 11) is None
    assert not watched.metrics


def test_metrics_that_no_bound_holds_for_are_left_out():
    assert watch(accuracy([0.5, 2.0]), GATES[0]) is None
    assert watch(replace(hits(9, n=10), bounded=False), GATES[0]) is None
    assert watch(accuracy([0.5, 0.7]), GATES[0]) is not None
    assert watch(accuracy([0.5, 0.7]), Gate(0.1, test="paired", early_fail=True)) is None
    other = measured({"m": hits(9, n=10)}, {"m": "accuracy(top_k=5)"})
    assert early_fail(Baseline.of(KEY, other), other.outcomes, {"m": GATES[0]}, {"m": "accuracy()"}) is None
