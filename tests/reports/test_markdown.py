"""The Markdown, read by a Markdown parser with GitHub's tables."""

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from pytest_torchlauncher.record import Record
from pytest_torchlauncher.reports.markdown import render

EVIL = "<script>alert(1)</script> | `x` *y* _z_ [a](b) ![i](j) </details> \\ &lt; ~~s~~ @me #1 $m$\n\n# new | row\n```"
FLAT = " ".join(EVIL.split())


def metric(name="top1", value=0.5, baseline=0.75, verdict="regressed"):
    return {"name": name, "value": value, "baseline": baseline, "verdict": verdict}


def record(model="net", status="regressed", failed=True, metrics=None, **fields):
    place = {"id": "a.launcher.yml::", "index": 0, "file": "/a.launcher.yml", "line": 3, "dataset": "data"}
    facts = {"device": "cpu", "message": "top1 0.5, baseline 0.75", "detail": ""}
    return Record(
        model=model,
        status=status,
        failed=failed,
        metrics=(metric(),) if metrics is None else tuple(metrics),
        **place | facts | fields,
    )


def passing(name="good", **fields):
    return record(name, "pass", False, [metric(value=0.75, verdict="pass")], **fields)


class Page(HTMLParser):
    """What a browser shows of the rendered HTML: cells by table, summaries, code, headings, and every tag."""

    def __init__(self, markdown):
        super().__init__()
        self.tables, self.texts, self.tags, self._open = [], {}, [], []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        for tag in self._open:
            self.texts[tag][-1] += data
        if {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += data


def test_failures_stand_first_and_the_rest_is_folded():
    page = Page(render([passing(), record(detail="metric  baseline\ntop1    0.75")], [], 2**20))
    assert page.texts["h2"] == ["Launcher evaluations: 1 of 2 failed"]
    assert "1 pass, 1 regressed" in page.texts["p"]
    header = ["status", "evaluation", "metric", "baseline", "measured", "delta"]
    failed, others = page.tables
    assert failed == [header, ["❌ regressed", "net-data", "top1", "0.7500", "0.5000", "-0.2500"]]
    assert others == [header, ["✅ pass", "good-data", "top1", "0.7500", "0.7500", "+0.0000"]]
    assert page.texts["summary"] == ["net-data: top1 0.5, baseline 0.75", "1 not failed"]
    assert page.texts["code"] == ["metric  baseline\ntop1    0.75\n"]
    assert page.tags.index("table") < page.tags.index("details") < len(page.tags) - page.tags[::-1].index("table") - 1


def test_a_green_run_is_one_heading_and_a_fold():
    page = Page(render([passing(), record("new", "recorded", False, [metric(baseline=None)])], [], 2**20))
    assert page.texts["h2"] == ["Launcher evaluations: none of 2 failed"]
    assert page.texts["summary"] == ["2 not failed"]
    assert page.tables[0][2] == ["✅ recorded", "new-data", "top1", "", "0.5000", ""]


def test_every_metric_has_a_row_and_what_was_not_measured_one():
    two = record(metrics=[metric(), metric("top5", verdict="pass"), metric("gone", None)])
    page = Page(render([two, record("bad", "error", metrics=[metric(value=None)], message="no module")], [], 2**20))
    assert [row[:3] for row in page.tables[0][1:]] == [
        ["❌ regressed", "net-data", "top1"],
        ["✅ pass", "net-data", "top5"],
        ["❌ error", "bad-data", ""],
    ]
    assert "bad-data: no module" in page.texts["p"]


@pytest.mark.parametrize("status", ["skipped", "inconclusive"])
def test_what_is_skipped_or_unclear_says_why(status):
    page = Page(render([record("some", status, False, metrics=(), message="no data here")], [], 2**20))
    assert page.tables[0][1][0] == f"⚠️ {status}"
    assert "some-data: no data here" in page.texts["p"]


def test_a_failure_that_was_expected_is_no_red_cross():
    page = Page(render([record(failed=False)], [], 2**20))
    assert page.tables[0][1][0] == "⚠️ regressed"


def test_what_was_not_run_again_says_so():
    page = Page(render([passing(cached=True)], [], 2**20))
    assert page.tables[0][1][0] == "✅ cached"
    assert "1 cached" in page.texts["p"]


def test_problems_of_the_run_are_told():
    assert (
        "--launcher-json was not written: <disk>"
        in Page(render([record()], ["--launcher-json was not written: <disk>"], 2**20)).texts["p"]
    )


def test_nothing_is_taken_for_markup():
    plain = Page(render([record("net", detail="d"), passing()], ["p"], 2**20))
    evil = record(EVIL, message=EVIL, metrics=[metric(EVIL)], detail=EVIL)
    page = Page(render([evil, passing(EVIL)], [EVIL], 2**20))
    assert page.tags == plain.tags
    (cells,), (folded,) = page.tables[0][1:], page.tables[1][1:]
    assert cells[1:3] == [f"{FLAT}-data", FLAT]
    assert folded[1] == f"{FLAT}-data"
    # A message of several lines goes on in the fold.
    assert page.texts["summary"][0] == f"{FLAT}-data: {EVIL.splitlines()[0]}"
    assert page.texts["code"] == ["# new | row\n```\n\n" + EVIL + "\n"]
    assert FLAT in page.texts["p"]


def test_a_page_is_cut_between_rows():
    page = Page(render([record(f"model {n}") for n in range(1000)], [], 9000))
    (table,) = page.tables
    assert {len(row) for row in table} == {6}
    assert 10 < len(table) < 1000
    assert page.texts["p"][-1].startswith("The rest is left out: GitHub shows no more than 1 MiB a step.")
