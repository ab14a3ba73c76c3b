import json
from types import SimpleNamespace

import pytest

from pytest_torchlauncher.record import RECORDS, STATUSES, Record, StoredEntry
from pytest_torchlauncher.reports.json_report import write_json
from pytest_torchlauncher.reports.transport import attach, attached

METRIC = {
    "name": "top1",
    "type": "accuracy",
    "value": 0.5,
    "components": {"a": float("nan")},
    "higher_is_better": True,
    "baseline": 0.75,
    "delta": -0.25,
    "allowed": 0.0,
    "verdict": "regressed",
}


def record(**fields):
    base = {
        "id": "a.launcher.yml::net-data",
        "index": 0,
        "model": "net",
        "dataset": "data",
        "device": "cpu",
        "file": "/a.launcher.yml",
        "line": 3,
        "status": "regressed",
        "failed": True,
        "message": "top1 0.5",
        "metrics": (METRIC,),
        "environment": {"torch": "2.14"},
    }
    return Record(**{**base, **fields})


def test_a_record_travels_as_builtin_types():
    whole = record(write=StoredEntry.of("/b.json", {"key": {"model": "net"}}, b"\0\1\2"), changed=("x",))
    plain = json.loads(json.dumps(whole.to_dict()))
    back = Record.from_dict({**plain, "metrics": whole.metrics})
    assert back == whole
    assert back.write.outcome_bytes == b"\0\1\2"


def test_text_is_the_message_then_the_detail():
    assert record().text == "top1 0.5"
    assert record(detail="table").text == "top1 0.5\n\ntable"


@pytest.mark.parametrize(
    ("when", "outcome", "carried"),
    [("setup", "passed", 0), ("call", "failed", 1), ("setup", "skipped", 1)],
)
def test_records_ride_on_the_report_that_ends_the_item(when, outcome, carried):
    report = pytest.TestReport("id", ("f", 1, "n"), {}, outcome, None, when)
    item = SimpleNamespace(stash=pytest.Stash())
    item.stash[RECORDS] = [record()]
    attach(item, report)
    assert len(attached(report)) == carried


def test_records_of_a_fixtures_teardown_ride_on_its_report():
    item = SimpleNamespace(stash=pytest.Stash())
    item.stash[RECORDS] = [record()]

    def carried(when):
        report = pytest.TestReport("id", ("f", 1, "n"), {}, "passed", None, when)
        attach(item, report)
        return len(attached(report))

    assert [carried("setup"), carried("call"), carried("teardown")] == [0, 1, 0]
    item.stash[RECORDS].append(record())
    assert carried("teardown") == 2


def test_an_item_that_did_not_run_says_why():
    report = pytest.TestReport("id", ("f", 1, "n"), {}, "skipped", ("f", 1, "Skipped: no data"), "setup")
    unrun = lambda status, message: record(status=status, message=message, metrics=())  # noqa: E731
    attach(SimpleNamespace(stash=pytest.Stash(), unrun=unrun), report)
    (found,) = attached(report)
    assert (found.status, found.message) == ("skipped", "no data")


def test_json_knows_no_nan_and_is_whole_or_absent(tmp_path):
    path = tmp_path / "deep" / "out.json"
    write_json(path, [record(), record(index=1, environment={})])
    report = json.loads(path.read_text())
    assert report["environment"] == {"torch": "2.14"}
    assert report["evaluations"][0]["metrics"][0]["components"] == {"a": None}
    assert not {"write", "index", "detail"} & set(report["evaluations"][0])
    assert report["evaluations"][0]["failed"] is True
    before = path.read_text()
    with pytest.raises(TypeError):
        write_json(path, [record(changed=(object(),))])
    assert path.read_text() == before


def test_every_status_that_a_record_can_have_is_documented():
    assert {"pass", "regressed", "improved", "missing_baseline", "stale_baseline", "error"} <= set(STATUSES)
