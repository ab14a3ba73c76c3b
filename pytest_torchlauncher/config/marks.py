"""The ``marks`` of a launcher file: pytest marks for all its items, each with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import Position, did_you_mean, display_path
from ..located import Row, Table, Text
from .problems import Problems

__all__ = ["MarkSpec", "is_mark", "read_marks"]


_CONDITIONAL = {"skipif": ("reason",), "xfail": ("reason", "strict", "run")}


@dataclass(frozen=True)
class MarkSpec:
    """One mark: ``pytest.mark.<name>(*args, **kwargs)``, written at `where`."""

    name: str
    where: Position
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def read_marks(row: Any, where: Position, problems: Problems) -> tuple[MarkSpec, ...]:
    """Return the marks listed in `row`: names, or mappings such as ``{skipif: "…", reason: "…"}``."""
    if row is None:
        return ()
    if not isinstance(row, Row):
        problems.add(where, "marks", "a list expected: marks: [slow, {skipif: '…', reason: '…'}]")
        return ()
    specs = [_read(item, row.places[index], f"marks[{index}]", problems) for index, item in enumerate(row)]
    return tuple(spec for spec in specs if spec)


def is_mark(name: str) -> bool:
    """Return whether `name` can be a mark: pytest keeps names that begin with an underscore to itself."""
    return re.fullmatch(r"[A-Za-z]\w*", name) is not None


def _read(item: Any, where: Position, path: str, problems: Problems) -> MarkSpec | None:
    if isinstance(item, Text) and is_mark(item):
        return MarkSpec(str(item), where)
    first = next(iter(item), None) if isinstance(item, Table) else None
    if not isinstance(first, str) or not is_mark(first) or first == "parametrize":
        problems.add(where, path, f"{item!r} found, the name of a mark or a mapping that begins with one expected")
        return None
    (name, value), *rest = item.items()
    kwargs = {key: _plain(v) for key, v in rest}
    if name == "skip":
        return MarkSpec("skip", where, (), {"reason": str(value or kwargs.get("reason") or _default("skip", where))})
    if name in _CONDITIONAL:
        problem = _unconditional(name, value, kwargs)
        if problem:
            problems.add(where, path, problem)
            return None
        kwargs.setdefault("reason", _default(name, where))
    args = () if value is None else tuple(value) if isinstance(value, Row) else (_plain(value),)
    return MarkSpec(str(name), where, args, kwargs)


def _unconditional(name: str, value: Any, kwargs: Mapping[str, Any]) -> str:
    """Return what is wrong with a conditional mark: one without a condition would switch its gate off unseen."""
    if not isinstance(value, str | bool) and not (name == "xfail" and value is None):
        return f"{value!r} found as the condition of {name}, an expression in quotes, true or false expected"
    unknown = [key for key in kwargs if key not in _CONDITIONAL[name]]
    known = ", ".join(_CONDITIONAL[name])
    return (
        f"unknown key {unknown[0]!r}{did_you_mean(str(unknown[0]), _CONDITIONAL[name])}; known are {known}"
        if unknown
        else ""
    )


def _default(name: str, where: Position) -> str:
    return f"{name} in {display_path(where.file)}, line {where.line}"


def _plain(value: Any) -> Any:
    """Return text as ``str`` itself: pytest evaluates a condition only where it is one."""
    return str(value) if isinstance(value, str) else value
