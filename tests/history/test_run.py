from datetime import UTC, datetime, timedelta, timezone

import pytest

from pytest_torchlauncher.history.run import Run, Value
from pytest_torchlauncher.record import Record

STARTED = datetime(2026, 11, 24, 9, tzinfo=UTC)
METRIC = {"name": "top1", "value": 1 / 3, "baseline": 0.75, "delta": 1 / 3 - 0.75, "verdict": "regressed"}


def record(**fields):
    place = {"id": "a::net-data", "index": 0, "file": "/a.launcher.yml", "line": 3, "failed": True, "message": ""}
    facts = {"model": "net", "dataset": "data", "device": "cpu", "status": "regressed", "samples": 12}
    what = {"metrics": (METRIC,), "seconds": {"total": 0.5}, "environment": {"torch": "2.13.0", "plugin": "0.1.0"}}
    return Record(**place | facts | what | fields)


def run(*records, is_subset=False):
    return Run.of(records, STARTED, "c" * 40, is_subset=is_subset)


def test_what_is_kept_of_a_record():
    value = Value("a::net-data", "net", "data", "cpu", "top1", 1 / 3, 0.75, 1 / 3 - 0.75, "regressed", 12, 0.5)
    assert run(record()) == Run(0, "2026-11-24T09:00:00+00:00", "0.1.0", "2.13.0", "c" * 40, False, (value,))
    assert run(is_subset=True).is_subset


def test_times_are_utc():
    started = STARTED.astimezone(timezone(timedelta(hours=5)))
    assert Run.of([], started, "", is_subset=False).started == "2026-11-24T09:00:00+00:00"


def test_only_what_was_measured_in_this_run_counts():
    unmeasured = dict.fromkeys(("value", "baseline", "delta")) | {"name": "top1", "verdict": "error"}
    skipped = record(status="skipped", metrics=(), environment={})
    error = record(status="error", metrics=(unmeasured,), environment={}, seconds={})
    found = run(record(cached=True, environment={"torch": "1"}), skipped, error, record(id="own"))
    assert [value.evaluation for value in found.values] == ["own"]
    assert found.torch == "2.13.0"
    assert not run(record(cached=True), skipped, error).values


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_left_out(number):
    metric = {**METRIC, "value": number, "baseline": number, "delta": number}
    (value,) = run(record(metrics=(metric,), seconds={"total": number})).values
    assert (value.value, value.baseline, value.delta, value.seconds) == (None,) * 4


def test_names_that_are_no_utf_8():
    (value,) = run(record(id="caf\udce9::x", metrics=({**METRIC, "name": "\ud800"},))).values
    assert (value.evaluation, value.metric) == ("caf\\udce9::x", "\\ud800")
