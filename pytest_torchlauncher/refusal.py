"""How a value of a launcher file is refused: in one sentence, whoever finds it wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

from pydantic_core import PydanticCustomError

__all__ = ["found", "refused"]


def refused(text: str, tag: LiteralString = "problem") -> PydanticCustomError:
    """Return an error with `text` as it stands: a template would give braces a meaning."""
    return PydanticCustomError(tag, "{text}", {"text": text})


def found(value: Any) -> str:
    """Return `value` as a person would name it in a launcher file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return repr(str(value)) if isinstance(value, str) else repr(value)
