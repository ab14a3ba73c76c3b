import re
import tempfile
from dataclasses import replace

import pytest
from baseline_factories import KEY, entry, hits, measured, plain

from pytest_torchlauncher.baselines.baseline import Baseline
from pytest_torchlauncher.baselines.outcomes import content_hash, pack
from pytest_torchlauncher.baselines.store import Store
from pytest_torchlauncher.errors import BaselineError
from pytest_torchlauncher.gate import FlipBudget, Gate, Reference, Slices
from pytest_torchlauncher.gating.assess import Criteria, assess

CUDA = replace(KEY, device="cuda")
OTHER_WEIGHTS = {"model": {"weights": "9f8e7d6c" * 8}}
MODES = ["check", "record", "update"]


@pytest.fixture
def store(tmp_path, monkeypatch):
    (tmp_path / "locks").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "locks"))
    return Store(tmp_path / "__baselines__" / "digits.json")


def ran(store, measurement, mode, reason=None, gates=None):
    """Assess as a run does: what is to be written is written; return the verdict and what was."""
    got = assess(measurement, Criteria(gates or {}), store, KEY, mode, reason)
    for baseline, outcomes in filter(None, (got.write, got.candidate)):
        assert baseline.outcomes == content_hash(outcomes)
    if got.write is None:
        return got.verdict, None
    baseline, outcomes = got.write
    was_equal = store.holds(baseline)
    store.write([(baseline, pack(outcomes))])
    if was_equal:
        return got.verdict, None
    assert store.find(KEY) == baseline
    return got.verdict, baseline


def verdicts(verdict):
    return [comparison.verdict for comparison in verdict.comparisons]


def test_check_judges_and_writes_nothing(store):
    store.write([entry()])
    verdict, write = ran(store, measured({"top1": hits(358, flipped={0: 0, 359: 1})}), "check")
    assert (verdict.status, verdict.failed, write) == ("regressed", True, None)
    verdict, write = ran(store, measured(), "check")
    assert (verdict.status, write) == ("pass", None)


def test_check_without_any_baseline(store):
    verdict, write = ran(store, measured(), "check")
    assert (verdict.status, verdict.failed, write) == ("missing_baseline", True, None)


def test_check_falls_back_to_another_environments_baseline(store):
    store.write([entry(CUDA)])
    verdict, write = ran(store, measured(), "check")
    assert (verdict.status, write) == ("pass", None)
    assert verdict.changed[0] == "baseline of cuda fp32 used: none for cpu fp32"
    assert verdict.message.endswith("; baseline of cuda fp32 used: none for cpu fp32")
    store.write([entry()])
    assert ran(store, measured(), "check")[0].changed == ()


def test_check_needs_the_outcomes(store, tmp_path):
    store.write([entry()])
    next(tmp_path.rglob("*.npz")).unlink()
    got = assess(measured(), Criteria(), store, KEY, "check")
    assert (got.verdict.status, got.verdict.failed, got.write) == ("error", True, None)
    found = r"outcomes of digits_cnn-digits cannot be read \(No such file or directory\): restore .*digits_cnn-"
    assert re.match(found, got.verdict.message)
    assert got.verdict.message.endswith("from version control or run pytest --launcher-update")
    assert [comparison.value for comparison in got.verdict.comparisons] == [358 / 360]
    assert got.candidate[0].metrics["top1"].value == 358 / 360


def test_an_anchor_whose_outcomes_are_gone_names_what_mends_it(store, tmp_path):
    store.write([entry()])
    (anchor,) = tmp_path.rglob("*.npz")
    store.write([entry(measurement=measured({"top1": hits(357)}))])
    anchor.unlink()
    gates = {"top1": Gate(anchor=0.1)}
    verdict, _ = ran(store, measured({"top1": hits(357)}), "check", gates=gates)
    assert verdict.message.endswith("or run pytest --launcher-update --launcher-anchor")
    got = assess(measured({"top1": hits(357)}), Criteria(gates), store, KEY, "update", moves_anchor=True)
    store.write([(got.write[0], pack(got.write[1]))], moving=[KEY])
    assert ran(store, measured({"top1": hits(357)}), "check", gates=gates)[0].status == "pass"


@pytest.mark.parametrize("mode", ["record", "update"])
def test_what_is_missing_is_recorded(store, mode):
    verdict, write = ran(store, measured({"top1": hits(341), "top5": hits(360)}), mode)
    assert (verdict.status, verdict.failed, verdicts(verdict)) == ("recorded", False, ["recorded", "recorded"])
    assert verdict.message == "top1 0.9472 (and 1 more metric): recorded"
    assert (write.reason, write.previous) == (None, None)
    assert write == Baseline.of(KEY, measured({"top1": hits(341), "top5": hits(360)}))


@pytest.mark.parametrize("mode", ["record", "update"])
def test_the_exact_key_is_recorded_even_where_a_fallback_exists(store, mode):
    store.write([entry(CUDA)])
    verdict, write = ran(store, measured({"top1": hits(1)}), mode)
    assert (verdict.status, write.key) == ("recorded", KEY)
    assert store.find(CUDA) == entry(CUDA)[0]


@pytest.mark.parametrize(("right", "status"), [(358, "pass"), (359, "improved"), (341, "regressed")])
def test_record_judges_by_a_standing_baseline(store, right, status):
    store.write([entry()])
    verdict, write = ran(store, measured({"top1": hits(right)}), "record")
    assert (verdict.status, write) == (status, None)


def test_record_leaves_a_stale_baseline(store):
    store.write([entry()])
    new = measured({"top1": hits(358), "top5": hits(360)}, data={"preprocessing": ()})
    verdict, write = ran(store, new, "record")
    assert (verdict.status, verdict.failed, write) == ("stale_baseline", True, None)


def test_record_adds_a_new_metric_and_leaves_the_others(store):
    old = entry(reason="because", previous={"top1": 1.0})
    store.write([old])
    new = measured({"top1": hits(357), "top5": hits(360), "mae": plain(2.0)}, environment={"torch": "2.14.1"})
    verdict, write = ran(store, new, "record")
    assert (verdict.status, verdict.failed) == ("recorded", False)
    assert verdict.message == "top5 1.0000 (and 1 more metric): recorded"
    assert verdicts(verdict) == ["pass", "recorded", "recorded"]
    assert write.metrics["top1"].value == 358 / 360
    assert (write.metrics["top5"].value, write.metrics["mae"].value) == (1.0, 2.0)
    assert replace(write, metrics=old[0].metrics, outcomes=old[0].outcomes) == old[0]
    columns = store.outcomes(write).columns
    assert {name: column.sum() for name, column in columns.items()} == {"metric:top1": 358, "metric:top5": 360}


def test_a_new_metric_of_other_weights_is_not_recorded_beside_the_old(store):
    store.write([entry()])
    verdict, write = ran(store, measured({"top1": hits(358), "top5": hits(360)}, **OTHER_WEIGHTS), "record")
    assert (verdict.status, write) == ("missing_baseline", None)
    assert verdict.message.startswith("top5 1.0000, no baseline of this metric for ")
    assert "run pytest --launcher-update" in verdict.message


@pytest.mark.parametrize(
    ("right", "gates", "status"), [(300, {}, "regressed"), (359, {"top1": Gate(on_improve="fail")}, "improved")]
)
def test_a_new_metric_excuses_no_other(store, right, gates, status):
    store.write([entry()])
    verdict, write = ran(store, measured({"top1": hits(right), "top5": hits(360)}), "record", gates=gates)
    assert (verdict.status, verdict.failed, verdicts(verdict)) == (status, True, [status, "recorded"])
    assert verdict.message.startswith("top1 ")
    assert set(write.metrics) == {"top1", "top5"}


def test_update_stores_what_was_measured(store):
    store.write([entry()])
    verdict, write = ran(store, measured({"top1": hits(359)}), "update")
    assert (verdict.status, verdict.failed, verdicts(verdict)) == ("updated", False, ["updated"])
    assert verdict.message == "top1 0.9972, baseline 0.9944, delta +0.0028: updated"
    assert (write.reason, write.previous) == (None, {"top1": 358 / 360})
    assert write.previous_outcomes == entry()[0].outcomes


def test_update_leaves_an_equal_baseline(store):
    store.write([entry(reason="because")])
    verdict, write = ran(store, measured(environment={"torch": "2.14.1"}), "update", reason="other")
    assert (verdict.status, verdict.failed, write) == ("pass", False, None)
    assert store.find(KEY).reason == "because"


@pytest.mark.parametrize(
    "changes",
    [
        OTHER_WEIGHTS,
        {"data": {"preprocessing": ()}},
        {"definitions": {"top1": "accuracy(top_k=1)"}},
        {"metrics": {"top1": hits(358, flipped={0: 0, 359: 1})}},
    ],
)
def test_update_stores_other_outcomes_and_hashes_of_equal_values(store, changes):
    store.write([entry()])
    verdict, _ = ran(store, measured(**changes), "update")
    assert verdict.status == "updated"
    assert ran(store, measured(**changes), "check")[0].status == "pass"


@pytest.mark.parametrize("reason", [None, ""])
@pytest.mark.parametrize("changes", [{}, {"data": {"preprocessing": ()}}], ids=["standing", "stale"])
def test_update_refuses_to_make_any_metric_worse(store, changes, reason):
    store.write([entry(measurement=measured({"mae": plain(2.0, higher_is_better=False), "top1": hits(358)}))])
    new = measured({"mae": plain(1.0, higher_is_better=False), "top1": hits(341)}, **changes)
    verdict, write = ran(store, new, "update", reason)
    assert (verdict.status, verdict.failed, write) == ("regressed", True, None)
    assert verdict.message == (
        "top1 0.9472, baseline 0.9944, delta -0.0472: "
        'update refused, a metric would get worse: give --launcher-reason "…"'
    )
    assert verdicts(verdict)[1] == "regressed"


def test_update_refuses_by_the_direction_of_the_metric(store):
    lower = measured({"mae": plain(2.0, higher_is_better=False, bounded=False)})
    store.write([entry(measurement=lower)])
    worse = measured({"mae": plain(2.0 + 1e-6, higher_is_better=False, bounded=False)})
    verdict, _ = ran(store, worse, "update")
    assert verdict.message.startswith("mae 2.000001, baseline 2.000000, delta +0.000001: update refused")
    better = measured({"mae": plain(1.9, higher_is_better=False, bounded=False)})
    assert ran(store, better, "update")[0].status == "updated"


def test_update_with_a_reason_stores_it_with_the_previous_values(store):
    store.write([entry(measurement=measured({"top1": hits(358), "top5": hits(360)}))])
    verdict, write = ran(store, measured({"top1": hits(341), "top5": hits(360)}), "update", "smaller model")
    assert (verdict.status, verdict.failed) == ("updated", False)
    assert (write.reason, write.previous) == ("smaller model", {"top1": 358 / 360, "top5": 1.0})


@pytest.mark.parametrize(("measured_now", "previous"), [("top1", {"top1": 358 / 360, "top5": 1.0})])
def test_update_drops_a_metric_gone_from_the_file(store, measured_now, previous):
    store.write([entry(measurement=measured({"top1": hits(358), "top5": hits(360)}))])
    verdict, write = ran(store, measured({measured_now: hits(358)}), "update")
    assert (verdict.status, set(write.metrics), write.previous) == ("updated", {measured_now}, previous)


def test_update_replaces_all_metrics_where_none_stayed(store):
    store.write([entry()])
    verdict, write = ran(store, measured({"top5": hits(300)}), "update")
    assert (verdict.status, set(write.metrics)) == ("updated", {"top5"})
    assert verdict.message == "top5 0.8333: updated"


@pytest.mark.parametrize(
    "gate",
    [
        Gate(test="paired"),
        Gate(flips=FlipBudget(max_negative_rate=0)),
        Gate(slices=Slices(by="site")),
        Gate(1e-9, anchor=0.0),
    ],
    ids=["paired", "flips", "slices", "margins"],
)
def test_no_gate_stands_in_the_way_of_an_update(store, gate):
    calibrated = replace(measured(), reruns={"top1": (0.99,)})
    store.write([entry(measurement=calibrated)])
    better, worse = (measured({"top1": hits(right)}, **OTHER_WEIGHTS) for right in (359, 340))
    assert ran(store, better, "update", gates={"top1": gate})[0].status == "updated"
    assert ran(store, worse, "update", gates={"top1": gate})[0].message.endswith('give --launcher-reason "…"')
    assert ran(store, worse, "update", "smaller", gates={"top1": gate})[0].status == "updated"


def test_an_update_that_changes_nothing_is_judged(store):
    store.write([entry()])
    criteria = Criteria(references={"top1": Reference(reference=1.0, abs_threshold=0.001)})
    got = assess(measured(), criteria, store, KEY, "update")
    assert (store.holds(got.write[0]), got.verdict.failed) == (True, True)
    assert got.verdict.message.endswith("worse than the reference")


def test_a_spread_above_the_margin_is_stored_and_refuses_the_margin(store):
    store.write([entry()])
    noisy = replace(measured(), reruns={"top1": (0.99,)})
    verdict, write = ran(store, noisy, "check", gates={"top1": Gate(0.001)})
    assert (verdict.status, write.metrics["top1"].noise) == ("error", pytest.approx(358 / 360 - 0.99))
    assert "is below the calibrated noise" in ran(store, measured(), "check", gates={"top1": Gate(0.001)})[0].message
    quiet = replace(measured(), reruns={"top1": (358 / 360,)})
    assert ran(store, quiet, "check", gates={"top1": Gate(0.001)})[0].status == "pass"


def test_a_spread_is_stored_beside_a_baseline_that_stands_and_never_elsewhere(store):
    noisy = replace(measured(), reruns={"top1": (0.99,)})
    store.write([entry(CUDA)])
    verdict, write = ran(store, noisy, "check")
    assert (verdict.status, verdict.failed, write) == ("error", True, None)
    assert verdict.message == (
        "calibration refused, there is no baseline of cpu fp32: run pytest --launcher-record first"
    )
    store.write([entry()])
    verdict, write = ran(store, noisy, "record")
    assert (verdict.failed, write.metrics["top1"].noise) == (False, pytest.approx(358 / 360 - 0.99))


def test_what_a_gate_refuses_leaves_a_candidate_all_the_same(store):
    store.write([entry(measurement=measured({"top1": hits(358), "top5": hits(360)}))])
    for measurement, gates in [
        (measured(), {}),
        (measured({"top1": hits(358), "top5": hits(360)}), {"top1": Gate(slices=Slices(by="site"))}),
    ]:
        got = assess(measurement, Criteria(gates), store, KEY, "check")
        assert got.verdict.status == "error"
        assert set(got.candidate[0].metrics) == set(measurement.metrics)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_that_fails_leaves_a_candidate(store, mode):
    store.write([entry()])
    worse = measured({"top1": hits(340)}, **OTHER_WEIGHTS)
    got = assess(worse, Criteria(), store, KEY, mode)
    assert (got.verdict.failed, got.write) == (True, None)
    assert got.candidate[0].metrics["top1"].value == 340 / 360
    assert assess(replace(worse, is_subset=True), Criteria(), store, KEY, mode).candidate is None


def test_update_mends_outcomes_that_cannot_be_read(store, tmp_path):
    store.write([entry()])
    next(tmp_path.rglob("*.npz")).write_bytes(b"damaged")
    assert ran(store, measured(), "update")[0].status == "updated"
    assert ran(store, measured(), "check")[0].status == "pass"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stands", [False, True])
@pytest.mark.parametrize(
    "broken",
    [
        measured({"top1": plain(float("nan"))}),
        measured({"top1": hits(360), "top5": plain(float("inf"))}),
        measured(identifiers=("0001.png",) * 360),
        measured({}),
    ],
    ids=["nan", "one infinite", "duplicates", "empty"],
)
def test_an_error_is_never_written(store, mode, stands, broken):
    if stands:
        store.write([entry()])
    verdict, write = ran(store, broken, mode, reason="because")
    assert (verdict.status, verdict.failed, write) == ("error", True, None)


@pytest.mark.parametrize("mode", MODES)
def test_a_baseline_file_that_cannot_be_read_is_left(store, tmp_path, mode):
    store.write([entry()])
    path = tmp_path / "__baselines__" / "digits.json"
    path.write_text("{")
    with pytest.raises(BaselineError, match="no valid JSON"):
        ran(store, measured(), mode)
    assert path.read_text() == "{"
