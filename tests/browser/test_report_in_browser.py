"""The report of the example project in a real browser, narrow and wide, light and dark."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

VIEWS = [(width, scheme) for width in (375, 1280) for scheme in ("light", "dark")]


@dataclass
class Opened:
    """A page, what it asked for and what it complained of."""

    page: Any
    name: str
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: f"{view[0]}-{view[1]}")
def opened(request, report: Path, browser) -> Iterator[Opened]:
    width, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = Opened(page, f"{width}-{scheme}")
    page.on("request", lambda asked: opened.requests.append(asked.url))
    page.on("pageerror", lambda error: opened.errors.append(str(error)))
    page.on("console", lambda message: opened.errors.append(message.text))
    page.goto(report.as_uri())
    page.wait_for_load_state("networkidle")
    yield opened
    page.close()


def test_nothing_is_asked_for_and_nothing_complained_of(opened, report):
    assert [url for url in opened.requests if not url.startswith("data:")] == [report.as_uri()]
    assert opened.errors == []


def test_nothing_scrolls_sideways(opened):
    widths = opened.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] <= widths[1]


def test_the_regressions_stand_first_with_their_pictures(opened):
    page = opened.page
    assert "regressed" in page.title()
    assert page.locator("tbody tr .badge").first.inner_text() == "regressed"
    for name, least in (("digits_cnn-digits", 5), ("shape_detector-shapes", 10), ("shape_segmenter-shapes", 10)):
        section = page.locator("section.evaluation", has=page.locator("h2", has_text=name)).first
        assert section.locator(".pictures figure").count() >= least
        assert section.locator(".pictures svg").first.is_visible()
    drawn = page.evaluate(
        """() => Promise.all([...document.querySelectorAll('svg image')].map(async image => {
            const shown = new Image(); shown.src = image.getAttribute('href'); await shown.decode();
            return shown.naturalWidth > 0 && image.getBoundingClientRect().width > 20}))"""
    )
    assert len(drawn) > 30
    assert all(drawn)


def test_charts_of_every_kind_are_there(opened):
    text = opened.page.locator("main").inner_text()
    for name in ("Confusion matrix", "Precision over recall", "Parts of miou", "History", "Time", "Provenance"):
        assert name in text
    assert opened.page.locator(".line.baseline").count() > 0
    # Of the two runs of this project.
    assert opened.page.locator("svg.trend").count() >= 5
    assert "top1 in the latest 2 runs, from 0.9944 to 0.9" in opened.page.content()


def test_there_is_nothing_that_axe_core_objects_to(opened, axe):
    # The page's own policy keeps scripts out: the tool comes in by the debugger.
    opened.page.evaluate(axe)
    found = opened.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    told = [(v["id"], v["help"], [node["html"] for node in v["nodes"][:3]]) for v in found["violations"]]
    assert told == [], json.dumps(told, indent=1)
    assert len(found["passes"]) > 15


def test_the_keyboard_reaches_everything(opened):
    page = opened.page
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className"))
    assert {"A.", "SUMMARY.", "DIV.scroll"} <= reached


def test_a_picture_of_it_is_kept(opened, screenshots):
    path = screenshots / f"report-{opened.name}.png"
    opened.page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 10_000


def test_it_prints_with_everything_open(report, browser):
    page = browser.new_page()
    page.goto(report.as_uri())
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.removeAttribute('open'))")
    assert page.locator(".pictures svg").first.is_visible()
    assert len(page.pdf()) > 50_000
    page.close()


def test_it_can_be_read_without_scripts(report, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    page.locator("summary").first.click()
    assert not page.locator("details").first.locator("h3").first.is_visible()
    context.close()
