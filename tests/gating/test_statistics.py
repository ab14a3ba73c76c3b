"""The paired statistics against scipy and brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from pytest_torchlauncher.gating import statistics as ours

counts = st.integers(0, 60)


def example(count):
    return settings(max_examples=count, deadline=None, derandomize=True)


@example(200)
@given(counts, counts)
def test_mcnemar_is_the_exact_binomial_test(lost, gained):
    expected = stats.binomtest(lost, lost + gained, alternative="greater").pvalue if lost + gained else 1.0
    assert ours.mcnemar(lost, gained) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("lost", "gained"), [(5100, 4900), (50_500, 49_500), (4900, 5100), (1000, 0), (0, 1000)])
def test_mcnemar_of_many(lost, gained):
    expected = stats.binomtest(lost, lost + gained, alternative="greater").pvalue
    assert ours.mcnemar(lost, gained) == pytest.approx(expected, rel=1e-8, abs=1e-300)


def likelihood_score(lost, gained, n, loss):
    """Return the score statistic with the nuisance parameter found by maximising the likelihood numerically."""

    def negative(q):  # q: the chance to gain, q + loss: to lose
        chances = (lost, q + loss), (gained, q), (n - lost - gained, 1 - 2 * q - loss)
        return -sum(count * math.log(max(chance, 1e-300)) for count, chance in chances if count)

    low, high = max(0.0, -loss), (1 - loss) / 2
    q = optimize.minimize_scalar(negative, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    gap = lost - gained - n * loss
    corrected = math.copysign(max(abs(gap) - 0.5, 0), gap)
    return corrected / math.sqrt(n * (2 * q + loss - loss**2))


@example(60)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 200), st.sampled_from([0.01, 0.05, 0.2]))
def test_few_flips_have_the_score_interval(lost, gained, same, alpha):
    n = lost + gained + same + 1
    interval, z = ours.paired_interval(lost, gained, n, alpha), stats.norm.ppf(1 - alpha)
    assert interval.lower <= interval.delta <= interval.upper
    for bound, side in ((-interval.upper, z), (-interval.lower, -z)):
        if -0.999 < bound < 0.999:
            below, above = (likelihood_score(lost, gained, n, bound + step) for step in (-1e-4, 1e-4))
            assert above - 1e-3 <= side <= below + 1e-3


@example(60)
@given(st.integers(13, 400), st.integers(13, 400), st.integers(0, 5000), st.sampled_from([0.01, 0.05, 0.2]))
def test_many_flips_have_walds(lost, gained, same, alpha):
    n = lost + gained + same
    changes = np.concatenate([np.full(lost, -1), np.full(gained, 1), np.zeros(same)])
    error = changes.std() / math.sqrt(n)
    interval = ours.paired_interval(lost, gained, n, alpha)
    assert interval.delta == pytest.approx(changes.mean())
    assert interval.upper == pytest.approx(changes.mean() + stats.norm.ppf(1 - alpha) * error)
    assert interval.lower == pytest.approx(changes.mean() - stats.norm.ppf(1 - alpha) * error)


@pytest.mark.parametrize(
    "table", [(1, 0, 1), (0, 1, 1), (0, 0, 1), (24, 0, 24), (0, 24, 24), (100, 0, 100), (0, 0, 500)]
)
def test_tables_at_the_edge(table):
    interval = ours.paired_interval(*table, 0.05)
    assert -1 <= interval.lower <= interval.delta <= interval.upper <= 1


@pytest.mark.parametrize("n", [30, 200])
def test_bounds_move_with_the_counts(n):
    for few in (True, False):
        tables = [(b, c) for b, c in itertools.product(range(20), repeat=2) if (b + c < 25) == few and b + c <= n]
        upper = {table: ours.paired_interval(*table, n, 0.05).upper for table in tables}
        for b, c in tables:
            assert upper.get((b + 1, c), -1) <= upper[b, c] + 1e-9
            assert upper.get((b, c + 1), 1) >= upper[b, c] - 1e-9


@example(100)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(1, 200), st.sampled_from([0.005, 0.02, 0.1]))
def test_the_p_value_of_few_flips_agrees_with_their_interval(lost, gained, same, margin):
    n = lost + gained + same
    p, interval = ours.paired_p(lost, gained, n, margin), ours.paired_interval(lost, gained, n, 0.05)
    if abs(p - 0.05) > 1e-6:
        assert (p < 0.05) == (interval.upper < -margin)
    assert ours.paired_p(lost, gained, n, 0) == ours.mcnemar(lost, gained)
    assert ours.paired_p(lost, gained, n, 1) == 1


@example(12)
@given(st.integers(0, 1000), st.integers(2, 80), st.sampled_from([0.05, 0.1]))
def test_the_bootstrap_is_scipys(seed, n, alpha):
    draw = np.random.default_rng(seed)
    before, after = draw.normal(0.8, 0.1, n), draw.normal(0.78, 0.2, n)
    oracle = stats.bootstrap(
        (after - before,), np.mean, confidence_level=1 - 2 * alpha, n_resamples=500, method="percentile", rng=seed
    ).confidence_interval
    mean = ours.bootstrap_mean_interval(after - before, alpha, resamples=500, seed=seed)
    assert (mean.lower, mean.upper) == pytest.approx((oracle.low, oracle.high), abs=1e-12)
    delta = float((after - before).mean())
    anything = ours.bootstrap_interval(
        lambda at: float((after - before)[at].mean()), n, delta, alpha, resamples=500, seed=seed
    )
    assert (anything.lower, anything.upper, anything.delta) == pytest.approx((mean.lower, mean.upper, mean.delta))


def test_the_bootstrap_of_a_set_metric_is_scipys():
    draw = np.random.default_rng(5)
    counts = draw.integers(0, 9, (2, 3, 60))  # model, (tp, fp, fn), image

    def f1(counts):
        tp, fp, fn = counts.sum(axis=-1)
        return 2 * tp / (2 * tp + fp + fn)

    def difference(*columns, axis=-1):
        stacked = np.stack(columns)  # (6, …, n)
        tp, fp, fn, tp2, fp2, fn2 = stacked.sum(axis=axis)
        return 2 * tp2 / (2 * tp2 + fp2 + fn2) - 2 * tp / (2 * tp + fp + fn)

    oracle = stats.bootstrap(
        tuple(counts.reshape(6, 60)), difference, paired=True, confidence_level=0.9, n_resamples=300, rng=3,
        method="percentile",
    ).confidence_interval  # fmt: skip
    got = ours.bootstrap_interval(
        lambda at: f1(counts[1][:, at]) - f1(counts[0][:, at]), 60, 0.0, 0.05, resamples=300, seed=3
    )
    assert (got.lower, got.upper) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_the_bootstrap_in_parts_gives_the_same(monkeypatch):
    differences = np.random.default_rng(0).normal(size=100)
    whole = ours.bootstrap_mean_interval(differences, 0.05)
    monkeypatch.setattr(ours, "_CHUNK", 1234)
    assert ours.bootstrap_mean_interval(differences, 0.05) == whole


def test_resamples_without_a_value_are_left_out():
    got = ours.bootstrap_interval(lambda at: math.nan if 0 in at else 1.0, 5, 1.0, 0.05)
    assert (got.lower, got.upper) == (1.0, 1.0)
    got = ours.bootstrap_interval(lambda at: math.nan, 5, 1.0, 0.05, resamples=10)
    assert (got.lower, got.upper) == (-math.inf, math.inf)


def test_the_standard_error_of_an_interval():
    interval = ours.Interval(0.0, -0.0164485, 0.0164485)
    assert ours.standard_error(interval, 0.05) == pytest.approx(0.01, rel=1e-4)


def test_the_p_value_by_a_standard_error():
    assert ours.normal_p(-0.03, 0.01, 0.01) == pytest.approx(stats.norm.cdf(-2))
    assert (ours.normal_p(-0.03, 0.0, 0.01), ours.normal_p(0.0, 0.0, 0.01)) == (0.0, 1.0)


@example(60)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_holm_is_the_closed_test_of_bonferroni(p_values):
    indices = range(len(p_values))
    subsets = [s for size in range(1, len(p_values) + 1) for s in itertools.combinations(indices, size)]
    closed = {subset: min(1.0, len(subset) * min(p_values[index] for index in subset)) for subset in subsets}
    expected = [max(p for subset, p in closed.items() if index in subset) for index in indices]
    assert ours.holm(p_values) == pytest.approx(expected)


@pytest.mark.parametrize("p_values", [[math.nan, 1e-4, 0.5], [1e-4, math.nan, 0.5], [1e-4, 0.5, math.nan]])
def test_holm_is_not_misled_by_a_slice_without_a_value(p_values):
    adjusted = dict(zip(map(str, p_values), ours.holm(p_values), strict=True))
    assert adjusted == pytest.approx({"0.0001": 3e-4, "0.5": 1.0, "nan": 1.0})


def test_the_mean_of_no_differences_has_no_bounds():
    got = ours.bootstrap_mean_interval(np.zeros(0), 0.05)
    assert (got.lower, got.upper) == (-math.inf, math.inf)


def test_holm_of_nothing():
    assert ours.holm([]) == []


@pytest.mark.parametrize(("drop", "discordance", "n"), [(0.005, 0.02, 4944), (0.005, 0.05, 12364), (0.05, 0.01, 122)])
def test_samples_needed(drop, discordance, n):
    assert ours.samples_needed(drop, discordance, 0.05) == n


@example(60)
@given(st.floats(0.002, 0.5), st.floats(0.0, 1.0))
def test_the_smallest_drop_is_what_so_many_samples_prove(drop, discordance):
    n = ours.samples_needed(drop, discordance, 0.05)
    smallest = ours.smallest_drop(n, discordance, 0.05)
    assert smallest <= drop * (1 + 1e-9)
    assert (
        ours.samples_needed(smallest, discordance, 0.05)
        <= n
        < ours.samples_needed(smallest * 0.95, discordance, 0.05) + 2
    )
