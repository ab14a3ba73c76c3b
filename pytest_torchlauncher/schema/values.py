"""Annotations of options as JSON Schema."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from ..input_spec import Choice
from ..kinds import Block
from ..options import Component, OneOrMany, Spec
from ..paths import ModuleName
from ..plan import Amount

__all__ = ["Schema", "plain", "value_schema"]

Schema = dict[str, Any]

_WORDS = ("yes", "no", "on", "off")
_BOOLEAN: Schema = {"anyOf": [{"type": "boolean"}, {"enum": [c for w in _WORDS for c in (w, w.title(), w.upper())]}]}
"""YAML 1.1, which launcher files are, has more words for true and false than editors know."""
_SIMPLE: Mapping[Any, Schema] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: _BOOLEAN,
    str: {"type": "string"},
    type(None): {"type": "null"},
    Path: {"type": "string", "minLength": 1},
    ModuleName: {"type": "string", "minLength": 1},
    Amount: {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\s*[0-9.]+\s*%?\s*$"}]},
}
_LIMITS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}

Refer = Callable[[type[Any]], Schema]
"""Returns a reference to the schema of a kind of block, or of a nested mapping."""


def value_schema(annotation: Any, refer: Refer) -> Schema:
    """Return the schema of what an option with `annotation` takes; anything, where nothing is known of it."""
    if annotation in _SIMPLE:
        return dict(_SIMPLE[annotation])
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:], refer)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return _any_of([value_schema(part, refer) for part in arguments])
    if origin is Component and not isinstance(arguments[0], TypeVar):
        return refer(typing.get_origin(arguments[0]) or arguments[0])
    if origin in (tuple, list) or (isinstance(origin, type) and issubclass(origin, typing.Sequence)):
        return _array(arguments, refer)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": value_schema(arguments[1], refer)}
    if isinstance(annotation, type) and issubclass(annotation, Spec | Block):
        return refer(annotation)
    return {}


def plain(value: Any) -> Any:
    """Return `value` as JSON has it.

    Raises:
        TypeError: JSON has nothing like it.
    """
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(type(value).__name__)


def _annotated(inner: Any, metadata: tuple[Any, ...], refer: Refer) -> Schema:
    schema = value_schema(inner, refer)
    for mark in metadata:
        if mark is OneOrMany:
            schema = _any_of([*([schema["items"]] if schema.get("items") else []), schema])
        elif isinstance(mark, Choice):
            schema = {"enum": _cases(mark.names)}
        elif isinstance(mark, FieldInfo):
            limits = {_LIMITS[k]: v for one in mark.metadata for k, v in vars_of(one) if k in _LIMITS}
            schema = {**schema, **limits}
        elif isinstance(mark, BeforeValidator):
            schema = _read_first(schema)
    return schema


def vars_of(limit: Any) -> list[tuple[str, Any]]:
    """Return the fields of one of annotated_types' limits."""
    return [(name, getattr(limit, name)) for name in _LIMITS if hasattr(limit, name)]


def _read_first(schema: Schema) -> Schema:
    """Return the schema of what is read before it is checked: names in any case, numbers as text or alone."""
    parts = schema.get("anyOf", [schema])
    if names := [name for part in parts for name in part.get("enum", ()) if isinstance(name, str)]:
        others = [part for part in parts if "enum" not in part]
        return _any_of([{"enum": _cases(names)}, *others])
    return _any_of([schema, {"type": "string"}, {"type": "number"}, {"type": "array"}])


def _cases(names: typing.Iterable[str]) -> list[str]:
    cased = [case for name in names for case in (name, name.lower(), name.upper(), name.title())]
    return list(dict.fromkeys(cased))


def _array(arguments: tuple[Any, ...], refer: Refer) -> Schema:
    if len(arguments) == 2 and arguments[1] is ...:
        return {"type": "array", "items": value_schema(arguments[0], refer)}
    items = [value_schema(part, refer) for part in arguments]
    fixed = {"minItems": len(items), "maxItems": len(items)} if len(items) > 1 else {}
    return {"type": "array", "items": _any_of(items), **fixed} if items else {"type": "array"}


def _any_of(schemas: list[Schema]) -> Schema:
    """Return what fits one of `schemas`, those within them side by side."""
    parts: list[Schema] = []
    for schema in schemas:
        for part in schema["anyOf"] if set(schema) == {"anyOf"} else [schema]:
            if part not in parts:
                parts.append(part)
    if {} in parts:
        return {}
    return parts[0] if len(parts) == 1 else {"anyOf": parts}
