from xml.etree import ElementTree

from pytest_torchlauncher.record import Record
from pytest_torchlauncher.reports.junit import properties

METRIC = {"name": "top1", "value": 1 / 3, "baseline": 0.75, "delta": 1 / 3 - 0.75, "verdict": "regressed"}


def record(**fields):
    place = {"id": "a::net-data", "index": 0, "file": "/a.launcher.yml", "line": 3, "failed": True, "message": ""}
    facts = {"model": "net", "dataset": "data", "device": "cpu", "status": "regressed", "samples": 12}
    return Record(**place | facts | {"metrics": (METRIC,)} | fields)


def test_numbers_keep_their_precision():
    assert properties([record()]) == [
        ("launcher.status", "regressed"),
        ("launcher.model", "net"),
        ("launcher.dataset", "data"),
        ("launcher.device", "cpu"),
        ("launcher.samples", "12"),
        ("launcher.metric.top1", "0.3333333333333333"),
        ("launcher.metric.top1.baseline", "0.75"),
        ("launcher.metric.top1.delta", "-0.4166666666666667"),
        ("launcher.metric.top1.verdict", "regressed"),
    ]


def test_what_is_not_known_has_no_property():
    unmeasured = {**METRIC, "value": None, "baseline": None, "delta": None, "verdict": "error"}
    found = dict(properties([record(device="", dataset="", metrics=(unmeasured,))]))
    assert found["launcher.metric.top1.verdict"] == "error"
    assert not {"launcher.device", "launcher.dataset", "launcher.metric.top1"} & set(found)


def test_several_records_are_told_apart_by_their_place():
    found = properties([record(), record(model="other")])
    assert len(dict(found)) == len(found)
    assert dict(found)["launcher.2.model"] == "other"


def test_no_name_or_value_breaks_the_xml():
    found = properties([record(model="\x1b\ud800<&\"'>\ufffe", metrics=({**METRIC, "name": 'a\x07\udcff"<b'},))])
    element = ElementTree.Element("properties")
    for name, value in found:
        ElementTree.SubElement(element, "property", name=name, value=value)
    back = [(p.get("name"), p.get("value")) for p in ElementTree.fromstring(ElementTree.tostring(element, "utf-8"))]
    assert back == found
