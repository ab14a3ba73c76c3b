"""The report page: whole, escaped, readable without a script and without the network."""

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import pytest
from page_records import NASTY, metric, record

from pytest_torchlauncher.record import Record
from pytest_torchlauncher.reports.html.page import render, write_page

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Tags with their attributes, text, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


@dataclass(frozen=True)
class At:
    value: float | None
    baseline: float | None = None


def trends(*records):
    return {(r.id, m["name"]): [At(0.5), At(None), At(0.9, 0.8)] for r in records for m in r.metrics}


@pytest.fixture(scope="module")
def page():
    records = [record(0), record(1, "pass"), record(2, "skipped", metrics=(), pictures=0, charts=(), slices=())]
    return Page(render(records, trends(*records), [f"note {NASTY}"]))


def test_what_users_named_is_text(page):
    assert page.all("script") == []
    assert NASTY in page.text
    assert all("script" not in value for _, attrs in page.tags for name, value in attrs.items() if name == "id")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_nothing_is_loaded(page):
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")


def test_links_lead_somewhere_and_names_are_unique(page):
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert max(Counter(names).values()) == 1
    for _, attributes in page.tags:
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in names
        for name in attributes.get("aria-labelledby", "").split():
            assert name in names


def test_every_picture_says_what_it_shows(page):
    drawn = page.all("svg")
    assert len(drawn) > 20
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawn)


def test_what_failed_stands_first_and_open(page):
    headings = re.findall(r"script>.*-data-\d (\w+)\n", page.text)
    assert headings == ["regressed", "skipped", "passed"]
    assert [("open" in attributes) for attributes in page.all("details")] == [True, True, False]


def test_the_page_shows_all_of_a_record(page):
    expected = [
        "top1 0.9, ", "0.9000", "0.9500", "-0.0500", "400 samples", "Confusion matrix", "Precision over recall",
        "Outcomes of the samples", "Samples that became worse", "History", "Slices", "What changed", "forward 2.00 s",
        "missing keys", "lost by top1", "ap 0.8000 → unknown", "Parts of top5",
    ]  # fmt: skip
    for text in expected:
        assert text in page.text, text


def test_evaluations_of_one_name_are_told_apart():
    twins = [record(0, id="a.py::test"), record(1, id="b.py::test"), record(2, id="b.py::test")]
    labels = [a["aria-label"] for a in Page(render(twins, {})).all("div") if "aria-label" in a]
    assert max(Counter(labels).values()) == 1


def test_an_image_is_in_the_page_once():
    text = render([record(0, pictures=2)], {})
    assert text.count("<image") == 2
    assert text.count("<use") == 2


def test_samples_without_an_image_are_shown_by_name():
    one = {**record(0, pictures=1).pictures[0], "image": "", "size": None}
    page = Page(render([replace(record(0, pictures=0), pictures=(one,))], {}))
    assert one["id"] in page.text
    assert page.all("image") == []


def test_flips_are_listed_where_there_are_no_pictures():
    flip = {"metric": "top1", "id": "7.png", "label": "cat", "before": "cat", "after": "dog"}
    page = Page(render([record(0, pictures=0, flips=(flip, {**flip, "id": "8.png", "after": None}))], {}))
    assert "top1: 7.png: cat, cat before, dog now" in page.text
    assert "top1: 8.png" in page.text


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"a": None},
        {"a": float("nan"), "b": float("inf"), "c": 0.5},
        {"a": -1.0, "b": 2.0},
        {"a": 120.0},
        {str(n): n / 9 for n in range(90)},
    ],
)
def test_parts_of_any_kind(parts):
    page = Page(render([record(0, metrics=(metric(components=parts),))], {}))
    assert ("Parts of top1" in page.text) == bool(parts)
    assert len(page.all("span")) < 120


def test_an_error_shows_its_detail():
    page = Page(
        render([record(0, "error", metrics=(metric(value=None, verdict="error"),), detail=f"line 3: {NASTY}")], {})
    )
    assert f"line 3: {NASTY}" in page.text


def test_a_run_without_evaluations():
    assert "nothing was evaluated" in Page(render([], {})).text


def test_fifty_evaluations_with_twenty_pictures_each_stay_below_5_mb(tmp_path):
    hostile = [record(index, pictures=20).to_dict() for index in range(50)]
    # Escaped, their names are several times as long as anybody's.
    text = json.dumps(hostile).replace(json.dumps(NASTY)[1:-1], "a class of ordinary length")
    records = [Record.from_dict(fields) for fields in json.loads(text)]
    path = tmp_path / "deep" / "report.html"
    write_page(path, records, trends(*records))
    assert path.stat().st_size < 5_000_000
    assert list(path.parent.iterdir()) == [path]


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setattr("pathlib.Path.replace", _refused)
    with pytest.raises(OSError, match="no space"):
        write_page(path, [record()], {})
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _refused(self, target):
    raise OSError("no space")
