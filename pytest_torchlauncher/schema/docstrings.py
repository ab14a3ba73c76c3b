"""What docstrings say of a class and its options."""

from __future__ import annotations

import inspect
import re
from typing import Any

__all__ = ["about", "options_about"]

_OPTION = re.compile(r"^ {4}(\w+(?:, \w+)*): ?(.*)$")


def about(cls: type[Any]) -> str:
    """Return the text of the docstring of `cls` before its sections, a paragraph a line; empty without one."""
    text, _ = _split(cls)
    return "\n".join(" ".join(part.split()) for part in text.split("\n\n")).strip()


def options_about(cls: type[Any]) -> dict[str, str]:
    """Return what ``Args:`` says of each option, in `cls` and the classes that it inherits options from."""
    found: dict[str, str] = {}
    for one in reversed(cls.__mro__[:-1]):
        found.update(_options(_split(one)[1]))
    return found


def _split(cls: type[Any]) -> tuple[str, str]:
    """Return the docstring of `cls` itself before and in its section ``Args:``."""
    # What dataclasses write themselves is the signature.
    own = cls.__dict__.get("__doc__") or ""
    if own.startswith(f"{cls.__name__}("):
        return "", ""
    before, _, section = inspect.cleandoc(own).partition("\nArgs:\n")
    return re.split(r"\n(?:Attributes|Raises|Returns):\n", before)[0], section


def _options(section: str) -> dict[str, str]:
    options: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        if match := _OPTION.match(line):
            names = match[1].split(", ")
            options.update(dict.fromkeys(names, match[2]))
        else:
            options.update({name: f"{options[name]} {line.strip()}".strip() for name in names})
    return options
