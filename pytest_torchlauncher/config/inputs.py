"""What the entries of a launcher's ``inputs`` say about each other; each checks itself (`InputSpec`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..input_spec import INFO_TYPES
from ..located import Row, Table
from .problems import Problems

__all__ = ["checked_inputs"]


def checked_inputs(inputs: Any, path: str, problems: Problems) -> Any:
    """Return `inputs`, which stand at `path`, without the keys that have no effect; those warn."""
    if not isinstance(inputs, Row):
        return inputs
    entries = [(entry, f"{path}[{index}]") for index, entry in enumerate(inputs) if isinstance(entry, Table)]
    _check_names(entries, problems)
    _check_values(entries, problems)
    for entry, at in entries:
        for key, reason in _without_effect(entry):
            problems.warn(entry.keys_at[key], f"{at}.{key}", f"has no effect: {reason}")
    return Row([_effective(entry) for entry in inputs], inputs.where, inputs.places)


def _check_names(entries: list[tuple[Table, str]], problems: Problems) -> None:
    first: dict[str, Table] = {}
    for entry, at in entries:
        name = entry.get("name")
        if not isinstance(name, str):
            continue
        if name in first:
            line = first[name].values_at["name"].line
            message = f"two inputs are called {str(name)!r}, the first on line {line}; rename one"
            problems.add(entry.values_at["name"], f"{at}.name", message)
        first.setdefault(name, entry)


def _check_values(entries: list[tuple[Table, str]], problems: Problems) -> None:
    data = [(entry, at) for entry, at in entries if _type(entry) == "INPUT"]
    for entry, at in data if len(data) > 1 else []:
        if entry.get("value") is None:
            message = "missing; where there are several, each INPUT needs a regular expression or a position"
            problems.add(entry.values_at.get("value", entry.where), f"{at}.value", message)


def _without_effect(entry: Table) -> Iterator[tuple[str, str]]:
    kind = _type(entry)
    if "value" in entry and kind in INFO_TYPES:
        yield "value", "it is computed"
    if "value" in entry and kind == "IGNORE_INPUT":
        yield "value", "IGNORE_INPUT is not fed"
    if "layout" in entry and kind in (*INFO_TYPES, "IGNORE_INPUT", "CONST_INPUT", "LSTM_INPUT"):
        yield "layout", f"INPUT alone has a layout, and this is {kind}"


def _effective(entry: Any) -> Any:
    return entry.without(*(key for key, _ in _without_effect(entry))) if isinstance(entry, Table) else entry


def _type(entry: Table) -> str:
    return str(entry.get("type")).upper()
