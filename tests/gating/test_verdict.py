from dataclasses import fields, replace

import numpy as np
import pytest
from baseline_factories import KEY, hits, ids, measured, plain

from pytest_torchlauncher.baselines.baseline import Baseline
from pytest_torchlauncher.gate import Gate
from pytest_torchlauncher.gating.judge import judge
from pytest_torchlauncher.gating.wording import format_allowed, format_delta, format_value
from pytest_torchlauncher.types import Environment, MetricValue, RunProvenance

OTHER_WEIGHTS = {"model": {"weights": "9f8e7d6c" * 8}}
OTHER_TORCH = {"environment": {"torch": "2.14.1"}}


def judged(before, after, gate=None, *, stored_key=KEY, key=KEY, outcomes=True, **changes):
    """Judge one metric of the value or metric `after` by a baseline of `before`."""
    stored = measured({"m": before})
    new = measured({"m": after}, **changes)
    gates = {"m": gate} if gate else {}
    return judge(key, new, gates, Baseline.of(stored_key, stored), stored.outcomes if outcomes else None)


def loss(metric, points):
    """Return `metric` made worse by `points`."""
    sign = -1 if metric.higher_is_better else 1
    return replace(metric, value=metric.value + sign * points)


N = 10_000
PERCENT = plain(0.9)
ERRORS = plain(0.1, higher_is_better=False)
MAE = plain(20.0, higher_is_better=False, bounded=False)
PSNR = plain(40.0, bounded=False)
MANY = {"count": N}


def key(device="cpu", precision="fp32"):
    return replace(KEY, device=device, precision=precision)


MARGINS = [
    # what differs, stored key, key, changes, points
    ("other torch", key(), key(), OTHER_TORCH, 0.2),
    ("other processor", key(), key(), {"environment": {"cpu_capability": "AVX512"}}, 0.2),
    ("other plugin", key(), key(), {"environment": {"plugin": "0.2.0"}}, 0.2),
    ("other batch", key(), key(), {"run": {"batch": 16}}, 0.2),
    ("other device", key("cuda"), key(), {}, 0.2),
    ("amp", key(precision="amp"), key(precision="amp"), OTHER_TORCH, 0.5),
    ("bf16", key(precision="bf16"), key(precision="bf16"), OTHER_TORCH, 0.5),
    ("fp16", key(precision="fp16"), key(precision="fp16"), OTHER_TORCH, 0.5),
    ("int8", key(precision="int8"), key(precision="int8"), OTHER_TORCH, 1.0),
    ("fp32 for bf16", key(precision="bf16"), key(), {}, 0.5),
    ("int8 for fp32", key(), key(precision="int8"), {}, 1.0),
    ("other weights", key(), key(), OTHER_WEIGHTS, 0.5),
    ("other arguments", key(), key(), {"model": {"config": "ff"}}, 0.5),
    ("other weights and torch", key(), key(), {**OTHER_WEIGHTS, **OTHER_TORCH}, 0.5),
]


@pytest.mark.parametrize("metric", [PERCENT, ERRORS, MAE, PSNR], ids=["higher", "lower", "mae", "psnr"])
@pytest.mark.parametrize(
    ("stored_key", "key", "changes", "points"), [row[1:] for row in MARGINS], ids=[row[0] for row in MARGINS]
)
def test_margins_by_provenance(metric, stored_key, key, changes, points):
    allowed = points / 100 * (1.0 if metric.bounded else metric.value)
    baseline = Baseline.of(stored_key, measured({"m": metric}, data=MANY))

    def verdict(worse):
        got = judge(key, measured({"m": loss(metric, worse)}, data=MANY, **changes), {}, baseline)
        assert got.comparisons[0].allowed == pytest.approx(allowed)
        assert got.comparisons[0].delta == pytest.approx(worse if not metric.higher_is_better else -worse)
        return got.status, got.failed

    assert verdict(0) == ("pass", False)
    assert verdict(allowed) == ("pass", False)
    assert verdict(allowed * 1.001) == ("regressed", True)
    assert verdict(-allowed) == ("pass", False)
    assert verdict(-allowed * 1.001) == ("improved", False)


@pytest.mark.parametrize("name", [field.name for field in fields(Environment)])
def test_any_difference_in_the_environment_counts(name):
    assert judged(PERCENT, PERCENT, environment={name: "other"}).comparisons[0].allowed == pytest.approx(1 / 360)


@pytest.mark.parametrize("name", [field.name for field in fields(RunProvenance)])
def test_any_difference_in_the_run_counts(name):
    assert judged(PERCENT, PERCENT, run={name: 7}).comparisons[0].allowed == pytest.approx(1 / 360)


@pytest.mark.parametrize(
    ("metric", "allowed"), [(PERCENT, 1 / 100), (MAE, 20.0 / 100)], ids=["bounded", "per cent of the baseline"]
)
def test_where_anything_differs_one_sample_may_be_lost(metric, allowed):
    baseline = Baseline.of(KEY, measured({"m": metric}, data={"count": 100}))
    for changes in (OTHER_TORCH, OTHER_WEIGHTS):
        got = judge(KEY, measured({"m": metric}, data={"count": 100}, **changes), {}, baseline)
        assert got.comparisons[0].allowed == pytest.approx(allowed)


@pytest.mark.parametrize(
    ("right", "flipped", "status", "told"),
    [
        (358, {}, "pass", "pass"),
        (357, {}, "regressed", "regressed, 1 of 360 samples lost"),
        (358, {0: 0, 359: 1}, "regressed", "regressed, 1 of 360 samples lost, 1 gained"),
        (360, {0: 0}, "regressed", "regressed, 1 of 360 samples lost, 2 gained"),
        (357, {0: 0, 359: 1}, "regressed", "regressed, 2 of 360 samples lost"),
        (
            359,
            {},
            "improved",
            "improved, 1 of 360 samples gained: run pytest --launcher-update to keep it",
        ),
    ],
)
def test_nothing_may_flip_where_nothing_differs(right, flipped, status, told):
    got = judged(hits(358), hits(right, flipped=flipped))
    assert (got.status, got.failed) == (status, status == "regressed")
    assert got.comparisons[0].allowed == 0
    assert got.message.endswith(f" (same weights, same environment: nothing may be lost): {told}")


def test_flips_of_a_metric_whose_lower_is_better():
    before = replace(hits(2, n=10), higher_is_better=False)
    worse = replace(hits(2, n=10, flipped={0: 0, 9: 1}), higher_is_better=False)
    got = judged(before, worse)
    assert (got.status, got.comparisons[0].delta) == ("regressed", 0)
    assert got.message.endswith("regressed, 1 of 10 samples lost, 1 gained")
    assert judged(before, replace(hits(1, n=10), higher_is_better=False)).status == "improved"


@pytest.mark.parametrize("metric", [PERCENT, ERRORS, MAE, PSNR], ids=["higher", "lower", "mae", "psnr"])
def test_values_agree_within_1e_5_where_nothing_differs(metric):
    assert judged(metric, loss(metric, 0.9e-5 * metric.value)).status == "pass"
    assert judged(metric, loss(metric, -0.9e-5 * metric.value)).status == "pass"
    worse = judged(metric, loss(metric, 1.1e-5 * metric.value))
    assert (worse.status, worse.failed, worse.comparisons[0].allowed) == ("regressed", True, 0)
    assert judged(metric, loss(metric, -1.1e-5 * metric.value)).status == "improved"


def test_scores_that_are_not_0_or_1_are_no_flips():
    def scores(*values):
        return MetricValue(0.5, per_sample=np.array(values))

    assert judged(scores(0.4, 0.6), scores(0.6, 0.4)).status == "pass"
    assert judged(scores(0.0, 1.0), scores(1.0, 0.0)).status == "regressed"
    assert judged(scores(0.0, 1.0), scores(1.0, 0.0), outcomes=False).status == "pass"
    assert judged(scores(0.0, 1.0), plain(0.5)).status == "stale_baseline"
    assert judged(scores(0.0, 1.0), plain(0.5), data={"count": 2}).status == "pass"


@pytest.mark.parametrize(
    ("margin", "metric", "allowed"),
    [(0.01, PERCENT, 0.01), ("0.5%", PERCENT, 0.0045), ("1%", MAE, 0.2), (0, PERCENT, 0), (0.3, PSNR, 0.3)],
)
@pytest.mark.parametrize("changes", [{}, OTHER_TORCH, OTHER_WEIGHTS], ids=["nothing", "torch", "weights"])
def test_the_margin_of_the_file_wins(margin, metric, allowed, changes):
    gate = Gate(margin)
    passed = judged(metric, loss(metric, allowed), gate, **changes)
    assert (passed.status, passed.comparisons[0].allowed) == ("pass", pytest.approx(allowed))
    failed = judged(metric, loss(metric, allowed + 1e-4), gate, **changes)
    assert failed.status == "regressed"
    assert "gate margin: " in failed.message
    assert judged(metric, loss(metric, -allowed - 1e-4), gate, **changes).status == "improved"


def test_under_a_margin_samples_may_flip():
    assert judged(hits(358), hits(358, flipped={0: 0, 359: 1}), Gate(0)).status == "pass"


def test_equality_has_a_tolerance():
    assert judged(PERCENT, plain(0.9 - 0.01 - 0.9e-9), Gate(0.01)).status == "pass"
    assert judged(PERCENT, plain(0.9 - 0.01 - 2e-9), Gate(0.01)).status == "regressed"
    assert judged(PERCENT, plain(0.9 + 0.01 + 0.9e-9), Gate(0.01)).status == "pass"


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_baseline_of_zero(zero):
    metric = plain(zero, higher_is_better=False, bounded=False)
    assert judged(metric, metric).status == "pass"
    assert judged(metric, loss(metric, 1e-6), **OTHER_WEIGHTS).status == "regressed"


@pytest.mark.parametrize(("on_improve", "failed"), [(None, False), ("pass", False), ("warn", False), ("fail", True)])
def test_on_improve(on_improve, failed):
    got = judged(PERCENT, plain(0.95), Gate(on_improve=on_improve))
    assert (got.status, got.failed) == ("improved", failed)


@pytest.mark.parametrize(
    ("after", "changes", "message"),
    [
        (
            hits(341),
            OTHER_WEIGHTS,
            "m 0.9472, baseline 0.9944, delta -0.0472 (other weights: 0.5 points allowed): "
            "regressed, 17 of 360 samples lost",
        ),
        (
            hits(341),
            OTHER_TORCH,
            "m 0.9472, baseline 0.9944, delta -0.0472 (same weights, torch 2.13.0 → 2.14.1: 0.278 points allowed): "
            "regressed, 17 of 360 samples lost",
        ),
        (
            plain(0.9),
            OTHER_WEIGHTS,
            "m 0.9000, baseline 0.9944, delta -0.0944 (other weights: 0.5 points allowed): regressed",
        ),
        (
            plain(0.994443),
            {},
            "m 0.994443, baseline 0.994444, delta -0.000001 "
            "(same weights, same environment: nothing may be lost): pass",
        ),
        (
            plain(1.0),
            OTHER_WEIGHTS,
            "m 1.0000, baseline 0.9944, delta +0.0056 (other weights: 0.5 points allowed): "
            "improved: run pytest --launcher-update to keep it",
        ),
        (
            hits(320),
            {"data": {"preprocessing": ("opencv_imread()",)}},
            "m 0.8889, baseline 0.9944, delta -0.1056: "
            "stale baseline, preprocessing changed: normalization(std=16) → none",
        ),
        (
            hits(348, n=350),
            {"data": {"ids": "ab" * 32}},
            "m 0.9943, baseline 0.9944, delta -0.0002: "
            "stale baseline, samples 360 → 350; ids changed: 1d1d1d1d → abababab",
        ),
        (
            hits(358),
            {"definitions": {"m": "accuracy(top_k=2)"}},
            "m 0.9944, baseline 0.9944, delta +0.0000: "
            "stale baseline, definition of m changed: accuracy() → accuracy(top_k=2)",
        ),
        (
            plain(float("nan")),
            {},
            "m nan, baseline 0.9944: not a finite number, so nothing can be judged; check outputs and annotations",
        ),
        (
            plain(float("-inf")),
            OTHER_WEIGHTS,
            "m -inf, baseline 0.9944: not a finite number, so nothing can be judged; check outputs and annotations",
        ),
        (
            hits(358),
            {"identifiers": (*ids(358), "0007.png", "0003.png")},
            "m 0.9944, baseline 0.9944: sample '0003.png' occurs 2 times, once expected; "
            "make the identifiers of the dataset unique",
        ),
    ],
)
def test_first_lines(after, changes, message):
    assert judged(hits(358), after, **changes).message == message


def test_a_missing_baseline_fails_with_the_value_and_the_command():
    got = judge(KEY, measured({"top1": hits(341)}), {}, None)
    assert (got.status, got.failed, got.changed) == ("missing_baseline", True, ())
    assert got.message == "top1 0.9472, no baseline for digits_cnn-digits on cpu fp32: run pytest --launcher-record"
    (comparison,) = got.comparisons
    assert (comparison.name, comparison.type, comparison.value) == ("top1", "accuracy", 341 / 360)
    assert (comparison.baseline, comparison.delta, comparison.allowed) == (None, None, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_baseline_excuses_what_is_not_finite(value):
    got = judge(KEY, measured({"top1": plain(value)}), {}, None)
    assert (got.status, got.failed) == ("error", True)
    assert got.message.startswith(f"top1 {value}: not a finite number")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("gate", [None, Gate(1e9), Gate("1000%")])
def test_no_margin_excuses_what_is_not_finite(value, gate):
    for better in (True, False):
        assert judged(PERCENT, plain(value, higher_is_better=better), gate).status == "error"


def test_nothing_measured_is_an_error():
    got = judge(KEY, measured({}), {}, None)
    assert (got.status, got.failed) == ("error", True)
    assert got.message == "no metric is measured, at least one expected: name one in the file"


def several(before, after, gates=None, **changes):
    baseline = Baseline.of(KEY, measured(before))
    return judge(KEY, measured(after, **changes), gates or {}, baseline)


def test_a_metric_no_longer_measured_is_an_error():
    got = several({"top1": hits(358), "top5": hits(360)}, {"top5": hits(360)})
    assert (got.status, got.failed) == ("error", True)
    assert got.message == (
        "top1 of the baseline (0.9944) is no longer measured: "
        "put it back into the file, or run pytest --launcher-update to drop it"
    )
    assert [(c.name, c.value, c.verdict) for c in got.comparisons] == [("top5", 1.0, "pass"), ("top1", None, "error")]


def test_a_metric_that_the_baseline_lacks():
    got = several({"top1": hits(358)}, {"top1": hits(358), "top5": hits(360)})
    assert (got.status, got.failed) == ("missing_baseline", True)
    assert got.message == (
        "top5 1.0000, no baseline of this metric for digits_cnn-digits on cpu fp32: run pytest --launcher-record"
    )
    assert [c.verdict for c in got.comparisons] == ["pass", "missing_baseline"]


@pytest.mark.parametrize(
    ("after", "definitions", "status"),
    [
        ({"a": plain(0.9), "b": plain(0.9)}, {}, "pass"),
        ({"a": plain(0.9), "b": plain(0.95)}, {}, "improved"),
        ({"a": plain(0.95), "b": plain(0.9), "c": plain(0.9)}, {}, "missing_baseline"),
        ({"a": plain(0.8), "b": plain(0.95), "c": plain(0.9)}, {}, "regressed"),
        ({"a": plain(0.8), "b": plain(0.9)}, {"b": "other()"}, "stale_baseline"),
        ({"a": plain(float("nan")), "b": plain(0.9)}, {"b": "other()"}, "error"),
        ({"a": plain(0.9)}, {}, "error"),
    ],
)
def test_the_worst_metric_decides(after, definitions, status):
    got = several({"a": plain(0.9), "b": plain(0.9)}, after, definitions=definitions)
    assert got.status == status


def test_the_worst_failing_metric_goes_first():
    before = {"a": plain(0.9), "mae": MAE, "c": plain(0.9), "d": plain(0.9)}
    after = {"a": plain(0.8), "mae": loss(MAE, 5.0), "c": plain(0.7), "d": plain(0.95)}
    got = several(before, after, **OTHER_WEIGHTS)
    assert got.message == (
        "mae 25.0000, baseline 20.0000, delta +5.0000 (other weights: 0.1000 (0.50%) allowed): "
        "regressed (and 2 more metrics)"
    )
    assert [c.name for c in got.comparisons] == ["a", "mae", "c", "d"]
    assert several({"a": PERCENT, "b": PERCENT}, {"a": plain(0.8), "b": plain(0.7)}).message.startswith("b 0.7000")
    assert several({"a": PERCENT, "b": PERCENT}, {"a": plain(0.8), "b": plain(0.7)}).message.endswith(
        " (and 1 more metric)"
    )


def test_an_improvement_that_fails_goes_first():
    gates = {"b": Gate(on_improve="fail")}
    got = several({"a": PERCENT, "b": PERCENT}, {"a": plain(0.92), "b": plain(0.95)}, gates)
    assert (got.status, got.failed) == ("improved", True)
    assert got.message.startswith("b 0.9500")
    assert "more metric" not in got.message


def test_a_fallback_is_said_in_the_message_and_the_changes():
    got = judged(hits(358), hits(341), stored_key=key("cuda", "bf16"))
    assert got.message == (
        "m 0.9472, baseline 0.9944, delta -0.0472 "
        "(same weights, device cuda → cpu, precision bf16 → fp32: 0.5 points allowed): "
        "regressed, 17 of 360 samples lost; baseline of cuda bf16 used: none for cpu fp32"
    )
    assert got.changed[0] == "baseline of cuda bf16 used: none for cpu fp32"


def test_changes_are_all_listed():
    got = judged(hits(358), hits(358), **OTHER_WEIGHTS, run={"batch": 16}, environment={"torch": "2.14.1"})
    assert got.changed == ("weights 1a2b3c4d → 9f8e7d6c", "batch 64 → 16", "torch 2.13.0 → 2.14.1")


def test_stale_comparisons_show_their_numbers():
    (comparison,) = judged(plain(0.5), plain(0.75), data={"adapter": "other()"}).comparisons
    assert (comparison.baseline, comparison.value, comparison.delta, comparison.allowed) == (0.5, 0.75, 0.25, None)
    assert comparison.verdict == "stale_baseline"


def test_numbers_are_builtin():
    value = MetricValue(np.float64(0.75), {"cat": 0.5})
    (comparison,) = judged(plain(0.5), value).comparisons
    assert {type(getattr(comparison, name)) for name in ("value", "baseline", "delta", "allowed")} == {float}
    assert comparison.components == {"cat": 0.5}


@pytest.mark.parametrize(
    ("value", "others", "text"),
    [
        (0.9472, (), "0.9472"),
        (1.0, (), "1.0000"),
        (0.0, (), "0.0000"),
        (12345.678912, (), "12345.6789"),
        (0.94723, (0.94721,), "0.94723"),
        (0.94721, (0.94721,), "0.9472"),
        (0.9472, (0.9, 0.94720001), "0.94720000"),
        (0.00001234, (), "0.00001"),
        (-0.00001, (), "-0.00001"),
        (1.5e-12, (), "1.5e-12"),
        (11 / 12, (11 / 12 + 2e-16,), "0.916667"),
        (float("nan"), (0.9,), "nan"),
        (float("-inf"), (0.9,), "-inf"),
    ],
)
def test_format_value(value, others, text):
    assert format_value(value, *others) == text


@pytest.mark.parametrize(
    ("value", "baseline", "text"),
    [
        (0.9472, 0.9944, "-0.0472"),
        (0.5, 0.5, "+0.0000"),
        (0.94723, 0.94721, "+0.00002"),
        (3e-12, 1e-12, "+2e-12"),
        (float("nan"), 0.9, "+nan"),
    ],
)
def test_format_delta(value, baseline, text):
    assert format_delta(value, baseline) == text


@pytest.mark.parametrize(("allowed", "text"), [(0.0, "0"), (0.005, "0.0050"), (0.00002, "0.00002")])
def test_format_allowed(allowed, text):
    assert format_allowed(allowed) == text
