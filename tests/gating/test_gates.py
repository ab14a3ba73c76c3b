"""Paired tests, anchors, budgets, slices, references and parts of the dataset, on measurements made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from baseline_factories import KEY, ids, measured, plain
from scipy import stats

from pytest_torchlauncher.baselines.baseline import Baseline
from pytest_torchlauncher.gate import FlipBudget, Gate, Reference, Slices
from pytest_torchlauncher.gating.judge import judge
from pytest_torchlauncher.gating.keeping import kept_outcomes
from pytest_torchlauncher.gating.statistics import samples_needed
from pytest_torchlauncher.types import Evidence, MetricValue, Outcomes

OTHER_WEIGHTS = {"model": {"weights": "9f8e7d6c" * 8}}
N = 1000
PAIRED = Gate(0.005, test="paired")


def outcomes_of(n, wrong):
    """Return an accuracy over `n` samples of which those at `wrong` are wrong."""
    column = np.ones(n)
    column[list(wrong)] = 0
    return MetricValue(float(column.mean()), per_sample=column)


def judged(before, after, gate, *, changes=OTHER_WEIGHTS, **given):
    stored, new = measured({"m": before}), measured({"m": after}, **changes)
    outcomes = kept_outcomes(stored, {"m": gate})
    return judge(KEY, new, {"m": gate}, Baseline.of(KEY, stored, outcomes), outcomes, **given)


PAIRS = [
    # lost, gained, verdict
    (40, 5, "regressed"),
    (10, 2, "inconclusive"),
    (0, 0, "pass"),
    (3, 3, "inconclusive"),
    (1, 1, "pass"),
    (2, 20, "improved"),
]


@pytest.mark.parametrize(("lost", "gained", "status"), PAIRS)
def test_the_interval_decides(lost, gained, status):
    got = judged(outcomes_of(N, range(gained)), outcomes_of(N, range(500, 500 + lost)), PAIRED)
    check = got.comparisons[0].checks[0]
    assert (got.status, got.failed) == (status, status == "regressed")
    assert check.p_value == pytest.approx(
        stats.binomtest(lost, lost + gained, alternative="greater").pvalue if lost + gained else 1.0
    )
    assert check.lower <= got.comparisons[0].gain <= check.upper
    if lost + gained >= 25:
        error = np.sqrt(lost + gained - (lost - gained) ** 2 / N) / N
        assert check.upper == pytest.approx((gained - lost) / N + stats.norm.ppf(0.95) * error)
    assert (check.upper < -0.005) == (status == "regressed")
    assert check.warns == (status == "inconclusive")


def test_a_paired_verdict_says_bounds_and_samples():
    got = judged(outcomes_of(N, ()), outcomes_of(N, range(40)), PAIRED)
    assert got.message == (
        "m 0.9600, baseline 1.0000, delta -0.0400 (other weights, gate margin: 0.5 points allowed): "
        "regressed, 40 of 1000 samples lost, difference between -0.0502 and -0.0298"
    )


def test_what_is_not_proven_says_how_many_samples_would_tell():
    got = judged(outcomes_of(N, ()), outcomes_of(N, range(8)), PAIRED)
    _, _, told = got.message.partition("inconclusive, difference between ")
    assert told.endswith(f"; {samples_needed(0.005, 0.008, 0.05):,} samples would tell")


@pytest.mark.parametrize(
    ("on_inconclusive", "failed", "warns"),
    [(None, False, True), ("auto", False, True), ("pass", False, False), ("warn", False, True), ("fail", True, False)],
)
def test_on_inconclusive(on_inconclusive, failed, warns):
    gate = replace(PAIRED, on_inconclusive=on_inconclusive)
    got = judged(outcomes_of(N, range(2)), outcomes_of(N, range(500, 510)), gate)
    assert (got.status, got.failed, got.comparisons[0].checks[0].warns) == ("inconclusive", failed, warns)


def test_without_a_margin_nothing_differing_still_allows_nothing():
    got = judged(outcomes_of(N, ()), outcomes_of(N, (3,)), Gate(test="paired"), changes={})
    assert (got.status, got.comparisons[0].allowed) == ("regressed", 0)


def test_continuous_scores_are_resampled():
    before = np.random.default_rng(1).normal(0.8, 0.1, 500)
    worse = before - np.abs(np.random.default_rng(2).normal(0.03, 0.02, 500))
    got = judged(*(MetricValue(float(s.mean()), per_sample=s, bounded=False) for s in (before, worse)), PAIRED)
    check = got.comparisons[0].checks[0]
    oracle = stats.bootstrap(
        (worse - before,), np.mean, confidence_level=0.9, n_resamples=2000, method="percentile", rng=0
    ).confidence_interval
    assert (check.lower, check.upper) == pytest.approx((oracle.low, oracle.high), abs=1e-12)
    assert (got.status, check.p_value) == ("regressed", None)


def test_scores_of_a_metric_whose_lower_is_better():
    before = np.random.default_rng(1).normal(2.0, 0.1, 300)
    worse = [
        MetricValue(float(s.mean()), per_sample=s, higher_is_better=False, bounded=False)
        for s in (before, before + 0.5 + np.random.default_rng(2).normal(0, 0.1, 300))
    ]
    assert judged(*worse, Gate(0.1, test="paired")).status == "regressed"
    assert judged(*reversed(worse), Gate(0.1, test="paired")).status == "improved"


def precision(items):
    return sum(tp for tp, _ in items) / sum(tp + fp for tp, fp in items)


def ratio(tp, fp):
    return Evidence(list(zip(tp, fp, strict=True)), precision)


def set_metric(tp, fp, **changes):
    evidence = ratio(tp, fp)
    value = MetricValue(evidence.summarize(evidence.items), per_sample=np.array(tp) / (np.array(tp) + fp))
    return replace(measured({"m": value}, **changes), evidence={"m": evidence})


def test_set_metrics_resample_the_evidence_of_both():
    draw = np.random.default_rng(3)
    tp, fp = draw.integers(1, 9, 200).tolist(), draw.integers(0, 4, 200).tolist()
    stored, new = set_metric(tp, fp), set_metric(tp, [f + 1 for f in fp], **OTHER_WEIGHTS)
    outcomes = kept_outcomes(stored, {"m": PAIRED})
    got = judge(KEY, new, {"m": PAIRED}, Baseline.of(KEY, stored, outcomes), outcomes)
    check = got.comparisons[0].checks[0]

    def delta(a, b, c, axis=-1):
        return a.sum(axis) / (a + c).sum(axis) - a.sum(axis) / (a + b).sum(axis)

    samples = (np.array(tp), np.array(fp), np.array(fp) + 1)
    oracle = stats.bootstrap(
        samples, delta, paired=True, confidence_level=0.9, n_resamples=400, method="percentile", rng=0
    ).confidence_interval
    assert (check.lower, check.upper) == pytest.approx((oracle.low, oracle.high), abs=1e-12)
    assert got.status == "regressed"


def test_a_paired_gate_without_outcomes_is_an_error():
    got = judged(plain(0.9), plain(0.9), PAIRED)
    assert (got.status, got.failed) == ("error", True)
    assert got.message.endswith(
        "test: paired needs outcomes of each sample, and the baseline has none; set test: point for this metric"
    )


# Anchors


def test_small_drops_add_up_against_the_anchor():
    gate = Gate(0.02, anchor=0.03)
    anchor, last = measured({"m": outcomes_of(N, ())}), measured({"m": outcomes_of(N, range(20))})
    new = measured({"m": outcomes_of(N, range(40))}, **OTHER_WEIGHTS)
    given = {"anchor": (Baseline.of(KEY, anchor), anchor.outcomes)}
    got = judge(KEY, new, {"m": gate}, Baseline.of(KEY, last), last.outcomes, **given)
    assert [check.verdict for check in got.comparisons[0].checks] == ["pass", "regressed"]
    assert got.failed
    assert got.message == (
        "m 0.9600, anchor 1.0000, delta -0.0400 (other weights, gate anchor: 3 points allowed): "
        "regressed, 40 of 1000 samples lost"
    )
    assert not judge(KEY, new, {"m": Gate(0.02)}, Baseline.of(KEY, last), last.outcomes, **given).failed


def test_a_stale_anchor_fails_and_a_metric_that_it_lacks():
    last = measured({"m": outcomes_of(N, ())})
    for anchor, message in [
        (measured({"m": plain(1.0)}, data={"adapter": "other()"}), "stale anchor, "),
        (measured({"other": plain(1.0)}), "no anchor of this metric: run pytest --launcher-update --launcher-anchor"),
    ]:
        given = {"anchor": (Baseline.of(KEY, anchor), anchor.outcomes)}
        got = judge(KEY, last, {"m": Gate(anchor=0.1)}, Baseline.of(KEY, last), last.outcomes, **given)
        assert got.failed
        assert message in got.message


# Noise


def test_a_margin_below_the_calibrated_noise_is_refused():
    stored = Baseline.of(KEY, replace(measured({"m": plain(0.9)}), reruns={"m": (0.898, 0.9005)}))
    assert stored.metrics["m"].noise == pytest.approx(0.0025)
    got = judge(KEY, measured({"m": plain(0.9)}), {"m": Gate(0.001)}, stored)
    assert (got.status, got.failed) == ("error", True)
    assert got.message.endswith(
        "margin 0.0010 is below the calibrated noise 0.0025, so that a rerun alone could fail; give at least that"
    )
    assert judge(KEY, measured({"m": plain(0.898)}), {"m": Gate(0.0025)}, stored).status == "pass"


def test_noise_is_allowed_where_nothing_differs():
    stored = Baseline.of(KEY, replace(measured({"m": outcomes_of(N, ())}), reruns={"m": (0.995,)}))
    before = measured({"m": outcomes_of(N, ())}).outcomes
    assert judge(KEY, measured({"m": outcomes_of(N, range(5))}), {}, stored, before).status == "pass"
    got = judge(KEY, measured({"m": outcomes_of(N, range(6))}), {}, stored, before)
    assert "(same weights, same environment, calibrated noise: 0.5 points allowed): regressed" in got.message


# Flips


def decided(metric, prediction, confidence, **changes):
    n = len(metric.per_sample)
    measurement = measured({"m": metric}, **changes)
    columns = {
        **measurement.outcomes.columns,
        "label": np.arange(n) % 3,
        "prediction": np.asarray(prediction),
        "confidence": np.asarray(confidence, dtype=np.float32),
    }
    return replace(measurement, outcomes=Outcomes(ids(n), columns), classes={0: "cat", 1: "dog"})


def test_lost_samples_are_listed_most_confident_first():
    n = 30
    before = decided(outcomes_of(n, (29,)), np.arange(n) % 3, np.full(n, 0.75))
    prediction, confidence = np.arange(n) % 3, np.full(n, 0.5)
    prediction[[3, 7]], confidence[[3, 7]] = [1, 2], [0.6, 0.95]
    after = decided(outcomes_of(n, (3, 7)), prediction, confidence, **OTHER_WEIGHTS)
    gate = Gate(0.5, flips=FlipBudget(max_confident=0))
    got = judge(KEY, after, {"m": gate}, Baseline.of(KEY, before), before.outcomes)
    assert [str(flip) for flip in got.flips] == [
        "0007.png: dog, predicted dog (0.75), now 2 (0.95)",
        "0003.png: cat, predicted cat (0.75), now dog (0.60)",
    ]
    assert got.message == (
        "m: 1 sample lost with a confidence of 0.9 or more (at most 0 allowed): regressed, budget of flips"
    )


@pytest.mark.parametrize(("rate", "failed"), [(0.01, False), (0.0099, True), (0, True)])
def test_the_budget_of_flips_counts_losses_alone(rate, failed):
    gate = Gate(0.5, flips=FlipBudget(max_negative_rate=rate))
    got = judged(outcomes_of(N, range(10)), outcomes_of(N, range(500, 510)), gate)
    assert (got.status, got.failed) == ("regressed" if failed else "pass", failed)
    assert len(got.flips) == 10
    if failed:
        assert got.message.startswith("m: 10 of 1000 samples lost (1.00%, at most")


def test_a_budget_of_flips_that_nothing_can_be_held_to():
    budget = Gate(0.5, flips=FlipBudget(max_negative_rate=0.5))
    got = judged(plain(0.9), plain(0.9), budget)
    assert (got.status, got.failed) == ("error", True)
    assert got.message == (
        "m: flips count samples that are right or wrong, and this metric or its baseline scores none so; "
        "give flips beside the metrics that do"
    )
    budget = Gate(0.5, flips=FlipBudget(max_confident=5))
    assert judged(outcomes_of(N, ()), outcomes_of(N, ()), budget).status == "pass"
    got = judged(outcomes_of(N, ()), outcomes_of(N, (3,)), budget)
    assert (got.status, got.failed) == ("error", True)
    assert got.message == (
        "m: max_confident needs probabilities of the predictions, and there are none; give max_negative_rate alone"
    )


# Slices


def grouped(metric, names, **changes):
    return replace(measured({"m": metric}, **changes), groups={"site": [(name,) if name else () for name in names]})


def sites(n, **sizes):
    names = [name for name, size in sizes.items() for _ in range(size)]
    return names + [""] * (n - len(names))


SLICED = Gate(0.05, slices=Slices(by="site", min_samples=50, margin=0.03))


def test_a_slice_that_regresses_fails_though_the_total_holds():
    names = sites(N, A=100, B=300, C=30)
    before, after = grouped(outcomes_of(N, ()), names), grouped(outcomes_of(N, range(30)), names, **OTHER_WEIGHTS)
    got = judge(KEY, after, {"m": SLICED}, Baseline.of(KEY, before), before.outcomes)
    assert [(s.name, s.n, s.verdict) for s in got.slices] == [("site A", 100, "regressed"), ("site B", 300, "pass")]
    assert [check.verdict for check in got.comparisons[0].checks] == ["pass", "regressed"]
    assert (got.status, got.failed) == ("regressed", True)
    assert got.message.startswith(
        "m 0.7000, baseline 1.0000, delta -0.3000 in the slice site A of 100 samples (allowed 0.03, p "
    )


def test_holms_correction_counts_all_slices():
    names = [f"s{index:02}" for index in range(20) for _ in range(50)]
    lost = range(6)
    before, after = grouped(outcomes_of(N, ()), names), grouped(outcomes_of(N, lost), names, **OTHER_WEIGHTS)
    one = grouped(outcomes_of(N, lost), sites(N, s00=50), **OTHER_WEIGHTS)
    alone = judge(KEY, one, {"m": SLICED}, Baseline.of(KEY, before), before.outcomes)
    got = judge(KEY, after, {"m": SLICED}, Baseline.of(KEY, before), before.outcomes)
    assert got.slices[0].p_value == pytest.approx(min(1.0, 20 * alone.slices[0].p_value))


def test_a_slice_that_has_no_value_any_more_fails():
    names = sites(200, A=100, B=100)
    column = np.concatenate([np.full(100, np.nan), np.linspace(0.8, 0.9, 100)])
    before = grouped(MetricValue(0.85, per_sample=np.linspace(0.8, 0.9, 200)), names)
    after = grouped(MetricValue(0.85, per_sample=column), names, **OTHER_WEIGHTS)
    got = judge(KEY, after, {"m": SLICED}, Baseline.of(KEY, before), before.outcomes)
    assert [s.verdict for s in got.slices] == ["regressed", "pass"]
    assert "in the slice site A of 100 samples" in got.message


def test_slices_that_cannot_be_told_apart():
    before = grouped(outcomes_of(N, ()), [""] * N)
    got = judge(KEY, before, {"m": SLICED}, Baseline.of(KEY, before), before.outcomes)
    assert got.message == "m: slices by site: no sample has the metadata 'site'; give it, or remove the slices"
    assert got.failed


# References

ACCURACY = MetricValue(0.75, {"cat": 0.9, "dog": 0.6})


def referred(metric, reference, **given):
    return judge(KEY, measured({"m": metric}), {}, None, references={"m": reference}, **given)


@pytest.mark.parametrize(
    ("value", "reference", "failed"),
    [
        (0.74, Reference(0.75, abs_threshold=0.01), False),  # equality passes
        (0.7399, Reference(0.75, abs_threshold=0.01), True),
        (0.90, Reference(0.75, abs_threshold=0.01), False),  # one-sided
        (0.735, Reference(0.75, rel_threshold=0.02), False),
        (0.7349, Reference(0.75, rel_threshold=0.02), True),
        (0.74, Reference(0.75, abs_threshold=0.1, rel_threshold=0.01), True),  # the stricter of both
        (0.74, Reference(0.75, abs_threshold=0.001, rel_threshold=0.1), True),
        (0.7451, Reference(0.75), False),  # the margin for other weights
        (0.7449, Reference(0.75), True),
        (0.5, Reference({"mean": 0.75}), True),
        (float("nan"), Reference(0.75, abs_threshold=1), True),
        (0.0, Reference(0.0, abs_threshold=0.0), False),
    ],
)
def test_references(value, reference, failed):
    got = referred(MetricValue(value), reference)
    assert got.failed == failed


def test_references_of_a_metric_whose_lower_is_better():
    error = MetricValue(20.0, higher_is_better=False, bounded=False)
    assert not referred(replace(error, value=10.0), Reference(20.0, rel_threshold=0.01)).failed
    assert not referred(replace(error, value=20.2), Reference(20.0, rel_threshold=0.01)).failed
    assert referred(replace(error, value=20.21), Reference(20.0, rel_threshold=0.01)).failed


def test_references_by_component():
    got = referred(ACCURACY, Reference({"mean": 0.75, "cat": 0.9, "dog": 0.7}, abs_threshold=0.05))
    assert [(c.against, c.verdict) for c in got.comparisons[0].checks] == [
        ("reference", "pass"),
        ("reference cat", "pass"),
        ("reference dog", "regressed"),
    ]
    assert got.message == (
        "m@dog 0.6000, reference 0.7000, delta -0.1000 (allowed 0.0500, threshold): worse than the reference"
    )
    unknown = referred(ACCURACY, Reference({"cow": 0.75}))
    assert unknown.message == "m@cow: reference: no component 'cow' found, only mean, cat, dog"
    assert unknown.failed


def test_a_reference_in_per_cent_is_told():
    got = referred(ACCURACY, Reference(74.46))
    assert got.message == "m: reference 74.46 found, a number from 0 to 1 expected; write 0.7446, not per cent"


def test_where_reference_and_baseline_exist_both_are_judged():
    stored = measured({"m": MetricValue(0.75)})
    for value, reference, verdicts in [
        (0.75, Reference(0.9), ["pass", "regressed"]),
        (0.6, Reference(0.5), ["regressed", "pass"]),
        (0.75, Reference(0.75), ["pass", "pass"]),
    ]:
        new = measured({"m": MetricValue(value)}, **OTHER_WEIGHTS)
        got = judge(KEY, new, {}, Baseline.of(KEY, stored), stored.outcomes, references={"m": reference})
        assert [check.verdict for check in got.comparisons[0].checks] == verdicts
        assert got.failed == ("regressed" in verdicts)
        assert got.comparisons[0].baseline == 0.75


# Parts of the dataset


def part(metric, positions, **changes):
    every = ids(len(metric.per_sample))
    column = metric.per_sample[list(positions)]
    measurement = measured(
        {"m": replace(metric, value=float(column.mean()), per_sample=column)},
        identifiers=tuple(every[position] for position in positions),
        data={"ids": "other", "content": "other", "annotations": "other"},
        **changes,
    )
    return replace(measurement, is_subset=True)


def test_a_part_is_compared_with_the_same_samples():
    stored = measured({"m": outcomes_of(N, range(500))})
    got = judge(KEY, part(outcomes_of(N, range(500)), range(400, 600)), {}, Baseline.of(KEY, stored), stored.outcomes)
    assert (got.status, got.comparisons[0].baseline, got.comparisons[0].value) == ("pass", 0.5, 0.5)
    worse = part(outcomes_of(N, range(501)), (450, 600, 500), **OTHER_WEIGHTS)
    got = judge(KEY, worse, {"m": Gate(0.1)}, Baseline.of(KEY, stored), stored.outcomes)
    assert (got.status, got.comparisons[0].baseline) == ("regressed", pytest.approx(2 / 3))


def test_a_part_with_samples_that_the_baseline_lacks_or_that_changed_is_stale():
    stored = measured({"m": outcomes_of(10, ())})
    new = part(outcomes_of(12, ()), (3, 10, 11))
    got = judge(KEY, new, {}, Baseline.of(KEY, stored), stored.outcomes)
    assert got.message.endswith("stale baseline, 2 of 3 samples are not in the baseline, the first is 0010.png")
    digests = {"digest": np.arange(10, dtype=np.uint32)}
    before = replace(stored.outcomes, columns={**stored.outcomes.columns, **digests})
    new = part(outcomes_of(10, ()), (3, 4))
    column = {"digest": np.array([3, 5], dtype=np.uint32)}
    new = replace(new, outcomes=replace(new.outcomes, columns={**new.outcomes.columns, **column}))
    got = judge(KEY, new, {}, Baseline.of(KEY, stored), before)
    assert got.message.endswith(
        "stale baseline, content or annotations changed (1 of 2 samples, the first is 0004.png)"
    )


def test_a_set_metric_of_a_part_is_summarised_anew():
    tp, fp = list(range(1, 11)), [1] * 10
    stored = set_metric(tp, fp)
    outcomes = kept_outcomes(stored, {})
    new = set_metric(tp[2:5], fp[2:5], data={"ids": "other", "content": "", "annotations": ""})
    new = replace(new, is_subset=True, outcomes=replace(new.outcomes, ids=ids(10)[2:5]))
    got = judge(KEY, new, {}, Baseline.of(KEY, stored, outcomes), outcomes)
    assert got.comparisons[0].baseline == pytest.approx(12 / 15)
    assert got.comparisons[0].value == pytest.approx(12 / 15)
    got = judge(KEY, new, {}, Baseline.of(KEY, stored), stored.outcomes)
    assert (got.status, got.failed) == ("inconclusive", False)
    assert "keeps no evidence of which samples gave its value" in got.message


def test_staleness_names_the_samples_that_changed():
    stored = measured({"m": outcomes_of(10, ())})
    new = measured({"m": outcomes_of(10, ())}, data={"content": "ab" * 32})
    outcomes = [
        replace(m.outcomes, columns={**m.outcomes.columns, "digest": np.array(d, dtype=np.uint32)})
        for m, d in ((stored, range(10)), (new, [0, 1, 9, 3, 9, 5, 6, 7, 8, 9]))
    ]
    got = judge(KEY, replace(new, outcomes=outcomes[1]), {}, Baseline.of(KEY, stored), outcomes[0])
    assert got.message.endswith(
        "stale baseline, content changed: c0c0c0c0 → abababab (2 of 10 samples, the first is 0002.png)"
    )
