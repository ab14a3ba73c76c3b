"""The report page: records and the history of their metrics, arranged for the template."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...gating.wording import format_allowed, format_delta, format_value
from ...record import STATUSES, Record
from ...whole_files import write_whole
from . import svg

__all__ = ["Point", "render", "write_page"]

_HERE = Path(__file__).parent
_TONES = {
    "good": ("pass", "recorded", "updated", "improved", "cached"),
    "odd": ("inconclusive", "skipped"),
}
_PARTS = 40
"""Parts of a vector metric that are shown, of more the lowest and the highest."""


class Point(Protocol):
    """What a metric was in an earlier run."""

    @property
    def value(self) -> float | None:
        """Its value; None where it was not finite."""

    @property
    def baseline(self) -> float | None:
        """What it was compared with."""


Trends = Mapping[tuple[str, str], Sequence[Point]]
"""Of evaluations by id and metric, oldest first."""


def write_page(path: Path, records: Sequence[Record], trends: Trends, notes: Sequence[str] = ()) -> None:
    """Write the page to `path`, whole or not at all.

    Args:
        path: of the file; its folder is made.
        records: of this run.
        trends: of their metrics, this run included.
        notes: what else the run has to say.

    Raises:
        OSError: the file cannot be written.
    """
    write_whole(path, render(records, trends, notes))


def render(records: Sequence[Record], trends: Trends, notes: Sequence[str] = ()) -> str:
    """Return the page; what failed stands first, then what is not a plain pass, in the order of collection."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        tone=_tone, spoken=_spoken, number=_number, curves=svg.curves, histogram=svg.histogram, timing=svg.timing,
        sample=svg.sample, fallen=_fallen,
    )  # fmt: skip
    style = Markup((_HERE / "report.css").read_text("utf-8"))
    template = environment.get_template("report.html.jinja")
    return template.render(style=style, page=_Page.of(records, trends, notes))


@dataclass(frozen=True)
class _Row:
    """One metric, its numbers written out."""

    name: str
    type: str
    value: str
    baseline: str
    delta: str
    allowed: str
    verdict: str
    reasons: tuple[str, ...]
    trend: Markup


@dataclass(frozen=True)
class _Evaluation:
    record: Record
    name: str
    anchor: str
    rows: tuple[_Row, ...]
    trends: tuple[tuple[str, Markup], ...]

    @classmethod
    def of(cls, record: Record, name: str, number: int, trends: Trends) -> _Evaluation:
        points = {metric["name"]: trends.get((record.id, metric["name"]), ()) for metric in record.metrics}
        rows = tuple(_row(metric, points[metric["name"]]) for metric in record.metrics if metric["value"] is not None)
        lines = tuple((name, _trend(name, known, small=False)) for name, known in points.items() if len(known) > 1)
        return cls(record, name, f"evaluation-{number}", rows, lines)

    @property
    def status(self) -> str:
        return "cached" if self.record.cached else self.record.status

    @property
    def is_open(self) -> bool:
        return _tone(self.status) != "good"

    @property
    def worst(self) -> _Row | None:
        name = self.record.measured[0]["name"] if self.rows else None
        return next((row for row in self.rows if row.name == name), None)

    @property
    def pictures(self) -> Iterator[Mapping[str, Any]]:
        """The pictures, with names by which one SVG shows the image of another."""
        for number, picture in enumerate(self.record.pictures):
            yield {**picture, "anchor": f"{self.anchor}-{number}"}

    @property
    def flips(self) -> Iterator[str]:
        for flip in self.record.flips:
            classes = f": {flip['label']}, {flip['before']} before, {flip['after']} now" if flip["after"] else ""
            yield f"{flip['metric']}: {flip['id']}{classes}"

    @property
    def bars(self) -> Iterator[Mapping[str, Any]]:
        """The parts of vector metrics."""
        for metric in self.record.metrics:
            if metric["components"]:
                yield _bars(metric["name"], metric["components"])

    @property
    def slice_columns(self) -> Sequence[str]:
        return list(self.record.slices[0])

    @property
    def provenance(self) -> Iterator[tuple[str, str]]:
        for name, value in (*self.record.environment.items(), *self.record.run.items()):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            if shown:
                yield name.replace("_", " "), shown


@dataclass(frozen=True)
class _Page:
    title: str
    written: str
    environment: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    evaluations: tuple[_Evaluation, ...]

    @classmethod
    def of(cls, records: Sequence[Record], trends: Trends, notes: Sequence[str]) -> _Page:
        order = sorted(records, key=lambda record: (not record.failed, _severity(record.status), record.index))
        counts = Counter(record.status for record in order)
        told = [f"{counts[status]} {_spoken(status)}" for status in sorted(counts, key=_severity)]
        environment = next((record.environment for record in records if record.environment), {})
        return cls(
            title=", ".join(told) or "nothing was evaluated",
            written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            environment=tuple(
                (name.replace("_", " "), environment[name]) for name in ("torch", "device_name") if name in environment
            ),
            notes=tuple(notes),
            evaluations=tuple(
                _Evaluation.of(record, name, number, trends)
                for number, (record, name) in enumerate(zip(order, _names(order), strict=True), 1)
            ),
        )


def _names(records: Sequence[Record]) -> list[str]:
    """Return a name for each of `records`, its node id and a number where the title is that of several."""
    titles = Counter(record.title for record in records)
    names = [record.title if titles[record.title] == 1 else f"{record.title}, {record.id}" for record in records]
    counts, seen = Counter(names), Counter[str]()
    for number, name in enumerate(names):
        seen[name] += 1
        if counts[name] > 1:
            names[number] = f"{name} ({seen[name]})"
    return names


def _row(metric: Mapping[str, Any], points: Sequence[Point]) -> _Row:
    value, baseline, checks = metric["value"], metric["baseline"], metric.get("checks", ())
    return _Row(
        name=metric["name"],
        type=metric["type"],
        value=format_value(value) if baseline is None else format_value(value, baseline),
        baseline="" if baseline is None else format_value(baseline, value),
        delta="" if baseline is None else format_delta(value, baseline),
        allowed="" if metric["allowed"] is None else format_allowed(metric["allowed"]),
        verdict=metric["verdict"],
        reasons=tuple(check["reason"] for check in checks if check["verdict"] != "pass"),
        trend=_trend(metric["name"], points, small=True) if len(points) > 1 else Markup(""),
    )


def _trend(name: str, points: Sequence[Point], *, small: bool) -> Markup:
    values = [point.value for point in points]
    known = [value for value in values if value is not None]
    told = f", from {format_value(known[0])} to {format_value(known[-1])}" if known else ""
    title = f"{name} in the latest {len(points)} runs{told}"
    return svg.trend(values, [point.baseline for point in points], title, small=small)


def _bars(name: str, components: Mapping[str, float | None]) -> Mapping[str, Any]:
    components = {part: v if v is not None and math.isfinite(v) else None for part, v in components.items()}
    known = sorted(components.items(), key=lambda part: math.inf if part[1] is None else part[1])
    left_out = len(known) - _PARTS
    shown = known if left_out <= 0 else [*known[: _PARTS // 2], *known[-_PARTS // 2 :]]
    if left_out <= 0:
        shown = list(components.items())
    values = [value for _, value in shown if value is not None]
    # Bars of numbers below zero would have to begin somewhere else.
    highest = max(values, default=0.0) if min(values, default=0.0) >= 0 else 0.0
    scale = max(highest, 1.0) if highest <= 1 else highest
    parts = [
        {"name": part, "value": value, "share": value / scale if highest and value is not None else None}
        for part, value in shown
    ]
    caption = f"the lowest and the highest of {len(known)} parts" if left_out > 0 else f"{len(known)} parts"
    return {"metric": name, "caption": f"{name}: {caption}", "parts": parts}


def _severity(status: str) -> int:
    """Return what sorts the worst first; what is unknown stands before everything."""
    return -STATUSES.index(status) if status in STATUSES else -len(STATUSES)


def _tone(status: str) -> str:
    return next((tone for tone, statuses in _TONES.items() if status in statuses), "bad")


def _spoken(status: str) -> str:
    return {"pass": "passed"}.get(status, status.replace("_", " "))


def _fallen(outcome: Mapping[str, Any]) -> str:
    """Return how a sample's outcome changed."""
    if outcome["before"] in (0, 1) and outcome["now"] in (0, 1):
        return f"{'lost' if outcome['before'] else 'gained'} by {outcome['metric']}"
    return f"{outcome['metric']} {_number(outcome['before'])} → {_number(outcome['now'])}"


def _number(value: Any) -> str:
    if value is None:
        return "unknown"
    return format_value(value) if isinstance(value, float) else str(value)
