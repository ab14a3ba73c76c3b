"""How a value of a launcher file is refused: in one sentence, whoever finds it wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from .errors import did_you_mean

__all__ = ["found", "readable", "refused"]


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


def readable(error: ValidationError, model: type[BaseModel]) -> ValidationError:
    """Return `error` with unknown keys explained and pydantic's phrases put as found and expected."""
    lines: list[InitErrorDetails] = []
    for detail in error.errors(include_url=False):
        kind, loc = detail["type"], detail["loc"]
        if kind == "extra_forbidden" and len(loc) == 1:
            known = list(model.model_fields)
            message = f"unknown key{did_you_mean(str(loc[0]), known) or '; known are ' + (', '.join(known) or 'none')}"
        elif kind == "missing":
            message = "missing, and required"
        elif kind == "invalid_key":
            message = f"{loc[-1]!r} found as a key, a name expected"
        elif kind in _EXPECTED:
            message = f"{found(detail['input'])} found, {_EXPECTED[kind].format(**detail.get('ctx', {}))} expected"
        elif kind == "value_error":
            message = str(detail["ctx"]["error"])
        else:
            message = detail["msg"]
        tag: LiteralString = {"extra_forbidden": "extra_forbidden", "missing": "missing"}.get(kind, "problem")
        lines.append(InitErrorDetails(type=refused(message, tag), loc=loc, input=detail["input"]))
    return ValidationError.from_exception_data(error.title, lines)


_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "path_type": "a path",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "literal_error": "{expected}",
}
