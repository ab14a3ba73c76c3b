"""Charts as inline SVG; colours come from the page's style sheet, so that they suit light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

__all__ = ["curves", "histogram", "sample", "timing", "trend"]

_WIDTH, _HEIGHT = 320, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 10, 32
_SERIES = 7
"""Colours of series in the style sheet."""
_STRAIGHT = 0.5
"""Area (px²) between a line and its points that nobody sees."""
_SIDE = 128
"""Width of a picture; the height follows the image."""
_LETTERS = 22
"""Letters of a text that fit across a picture."""


def trend(values: Sequence[float | None], baselines: Sequence[float | None], title: str, *, small: bool) -> Markup:
    """Return the line of a metric's `values` over its runs, oldest first, and of the baselines that they had."""
    width, height = (120, 28) if small else (_WIDTH, 120)
    known = [value for value in (*values, *baselines) if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    place = _Place(0, max(len(values) - 1, 1), low, high, width, height, plain=small)
    lines = [_line(place, baselines, "baseline"), _line(place, values, "series-0")]
    last = next(((at, value) for at, value in reversed([*enumerate(values)]) if value is not None), None)
    dot = Markup('<circle class="fill-0" cx="{:.1f}" cy="{:.1f}" r="2.5"/>').format(*place(*last)) if last else ""
    labels = [] if small else [*_vertical(place, (low, high)), _text(place.left, height - 8, f"{len(values)} runs")]
    return _svg(width, height, title, [*lines, dot, *labels], "trend" if small else "chart")


def curves(chart: Mapping[str, Any]) -> Markup:
    """Return precision over recall."""
    place = _Place(0, 1, 0, 1, _WIDTH, _HEIGHT)
    lines = [
        _line(place, curve["y"], "baseline" if curve["is_baseline"] else f"series-{number % _SERIES}", curve["x"])
        for number, curve in enumerate(chart["curves"])
    ]
    axes = [*_frame(place), *_vertical(place, (0, 0.5, 1)), *_horizontal(place, (0, 0.5, 1)), _below(place, "recall")]
    return _svg(_WIDTH, _HEIGHT, f"{chart['metric']}: precision over recall", [*axes, *lines])


def histogram(chart: Mapping[str, Any]) -> Markup:
    """Return how many samples score how much, now as bars and at the baseline as an outline."""
    edges, now, before = chart["edges"], chart["now"], chart["before"]
    highest = max((*now, *before, 1))
    place = _Place(edges[0], edges[-1], 0, highest, _WIDTH, _HEIGHT)
    bars = [_bar(place, *edge, count) for edge, count in zip(pairwise(edges), now, strict=True)]
    steps = [(x, count) for i, count in enumerate(before) for x in edges[i : i + 2]] if any(before) else []
    outline = _line(place, [y for _, y in steps], "baseline", [x for x, _ in steps])
    axes = [*_frame(place), *_vertical(place, (0, highest)), *_horizontal(place, (edges[0], edges[-1]))]
    return _svg(_WIDTH, _HEIGHT, f"{chart['metric']}: samples by outcome", [*axes, *bars, outline])


def timing(seconds: Mapping[str, float]) -> Markup:
    """Return what the stages took of the total, as one bar."""
    total, parts, start = seconds.get("total") or 1.0, [], 0.0
    for number, stage in enumerate(name for name in seconds if name != "total"):
        width = _WIDTH * seconds[stage] / total
        bar = Markup('<rect class="fill-{}" x="{:.1f}" y="0" width="{:.1f}" height="16"/>')
        parts.append(bar.format(number, start, width))
        start += width
    told = ", ".join(f"{stage} {value:.2f} s" for stage, value in seconds.items())
    return _svg(_WIDTH, 16, f"time: {told}", parts, "bar")


def sample(picture: Mapping[str, Any], which: str, identifier: str | None) -> Markup:
    """Return the picture of a sample with what was predicted `which` of ``before`` and ``now`` drawn in.

    Args:
        picture: of a record.
        which: whose prediction.
        identifier: of the image in another SVG of the page; None to put it here.
    """
    height, width = picture["size"] or (3, 4)
    tall = min(max(round(_SIDE * height / width), 16), 4 * _SIDE)
    shown = picture[which]
    image = _image(picture, tall) if identifier is None else Markup('<use href="#{}"/>').format(identifier)
    mask = _raster(shown["mask"], "png", tall, "mask") if shown["mask"] else ""
    drawn = [_drawn(shown, tall, f"is-{which}"), *_tags(shown, tall)]
    told = f"{picture['id']}, {which}: {shown['text'] or _counted(shown)}"
    return _svg(_SIDE, tall, told, [image, mask, *drawn, *_strip(shown["text"], tall)], "sample")


def _counted(drawing: Mapping[str, Any]) -> str:
    counts = {name: len(drawing[name]) for name in ("boxes", "points")}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return told or ("a mask" if drawing["mask"] else "nothing")


class _Place:
    """From values to coordinates of a chart; `plain` leaves no room for labels."""

    def __init__(
        self, x0: float, x1: float, y0: float, y1: float, width: int, height: int, *, plain: bool = False
    ) -> None:
        self.left, self.top = (3, 4) if plain else (_LEFT, _TOP)
        self.right, self.bottom = (width - 5, height - 4) if plain else (width - _RIGHT, height - _BOTTOM)
        self._x0, self._y0 = x0, y0
        self._across, self._up = (x1 - x0) or 1.0, y1 - y0

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        # A metric that never changed lies in the middle.
        share = (y - self._y0) / self._up if self._up else 0.5
        across = (x - self._x0) / self._across
        return self.left + across * (self.right - self.left), self.bottom - share * (self.bottom - self.top)


def _svg(width: int, height: int, title: str, parts: Iterable[Any], kind: str = "chart") -> Markup:
    start = Markup('<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}">').format(kind, title, width, height)
    return start + Markup("").join(parts) + Markup("</svg>")


def _line(place: _Place, ys: Sequence[float | None], kind: str, xs: Sequence[float] | None = None) -> Markup:
    """Return a line through the points that have a value."""
    known = [place(x, y) for x, y in zip(xs or range(len(ys)), ys, strict=True) if y is not None]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _bends(known))
    return Markup('<polyline class="line {}" points="{}"/>').format(kind, points) if known else Markup()


def _bends(points: Sequence[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """Yield the ends of `points`, and those between at which the line through them bends."""
    kept: tuple[float, float] | None = None
    for number, (x, y) in enumerate(points):
        if kept is not None and number + 1 < len(points):
            (left, low), (right, high) = kept, points[number + 1]
            if abs((x - left) * (high - low) - (y - low) * (right - left)) < _STRAIGHT:
                continue
        kept = (x, y)
        yield kept


def _bar(place: _Place, start: float, end: float, count: int) -> Markup:
    (left, top), (right, bottom) = place(start, count), place(end, 0)
    bar = Markup('<rect class="fill-0" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return bar.format(left + 0.5, top, max(right - left - 1, 0.5), bottom - top)


def _frame(place: _Place) -> list[Markup]:
    points = (place.left, place.top, place.left, place.bottom, place.right, place.bottom)
    return [Markup('<polyline class="axis" points="{},{} {},{} {},{}"/>').format(*points)]


def _vertical(place: _Place, values: Iterable[float]) -> list[Markup]:
    return [_text(place.left - 4, place(0, value)[1] + 3, f"{value:.4g}", "end") for value in dict.fromkeys(values)]


def _horizontal(place: _Place, values: Iterable[float]) -> list[Markup]:
    return [_text(place(value, 0)[0], place.bottom + 13, f"{value:.4g}", "middle") for value in values]


def _below(place: _Place, text: str) -> Markup:
    return _text((place.left + place.right) / 2, place.bottom + 26, text, "middle")


def _text(x: float, y: float, text: str, anchor: str = "start") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _image(picture: Mapping[str, Any], tall: int) -> Markup:
    """Return the image with what is annotated, under the name by which the page shows it again."""
    kind = "png" if picture["image"].startswith("iVBOR") else "webp"
    blank = Markup('<rect class="blank" width="{}" height="{}"/>').format(_SIDE, tall)
    shown = _raster(picture["image"], kind, tall, "crisp" if kind == "png" else "soft") if picture["image"] else blank
    annotated = _drawn(picture["annotated"], tall, "annotated")
    return Markup('<g id="{}">{}{}</g>').format(picture["anchor"], shown, annotated)


def _raster(content: str, kind: str, tall: int, style: str) -> Markup:
    start = Markup('<image class="{}" width="{}" height="{}" preserveAspectRatio="none"').format(style, _SIDE, tall)
    return start + Markup(' href="data:image/{};base64,{}"/>').format(kind, content)


def _drawn(drawing: Mapping[str, Any], tall: int, kind: str) -> Markup:
    """Return boxes and points, a path each: a page has thousands of them."""
    boxes = "".join(_rectangle(box["box"], tall) for box in drawing["boxes"])
    # A line without a length is a dot, as wide as its stroke.
    dots = "".join(f"M{x * _SIDE:.1f} {y * tall:.1f}h0" for x, y in drawing["points"])
    paths = {"box": boxes, "point": dots}
    return Markup("").join(
        Markup('<path class="{} {}" d="{}"/>').format(name, kind, path) for name, path in paths.items() if path
    )


def _rectangle(box: Sequence[float], tall: int) -> str:
    x0, y0, x1, y1 = box
    width, height = (x1 - x0) * _SIDE, (y1 - y0) * tall
    return f"M{x0 * _SIDE:.1f} {y0 * tall:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z"


def _tags(drawing: Mapping[str, Any], tall: int) -> Iterable[Markup]:
    """Yield the classes of boxes above them."""
    text = Markup('<text x="{:.0f}" y="{:.0f}">{}</text>')
    for box in drawing["boxes"]:
        left, top = box["box"][0] * _SIDE, box["box"][1] * tall
        yield text.format(min(left + 2, _SIDE - 30), max(top - 2, 8), box["text"][:_LETTERS])


def _strip(text: str, tall: int) -> list[Markup]:
    """Return `text` on a dark strip at the lower edge."""
    if not text:
        return []
    short = text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
    strip = Markup('<rect class="strip" x="0" y="{}" width="{}" height="14"/>').format(tall - 14, _SIDE)
    return [strip, Markup('<text x="3" y="{}">{}</text>').format(tall - 4, short)]
