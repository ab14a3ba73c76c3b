"""A constructor's signature is the schema: from the mapping in the file to a finished, frozen object.

`construct` builds any class from a mapping: it rejects unknown keys with the nearest known one, checks types by the
annotations, and reports all problems at once. `Spec` nests such classes, `Component` picks a registered block by its
``type``, and the path types resolve against the launcher file and the roots.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from .errors import Position
from .kinds import Block
from .located import Row, Table, Text
from .paths import Context
from .refusal import found, readable, refused
from .registry import lookup

__all__ = [
    "ByType",
    "Compat",
    "Component",
    "OneOrMany",
    "Option",
    "PositiveInt",
    "Spec",
    "Where",
    "construct",
    "option_names",
    "options_of",
]

BlockT = TypeVar("BlockT", bound=Block)

PositiveInt = Annotated[int, Field(ge=1)]

Compat = Literal["accuracy_checker"] | None
"""Whether a block does what the Accuracy Checker does, where that is a defect which published numbers contain.

A block whose constructor has an option ``compat`` of this type is given what the file, ini or option says.
"""


@dataclass(frozen=True)
class Where:
    """The places of a specification: its own and those of its keys. No option of the file: `construct` fills it in."""

    own: Position = Position(Path("<python>"), 1, 1)
    keys: Mapping[str, Position] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Position:
        return self.keys.get(key, self.own)


class _Options(BaseModel):
    model_config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False, protected_namespaces=()
    )


def construct(cls: type[Any], raw: Any, context: Context) -> Any:
    """Return ``cls(**raw)`` with every value checked and converted by the constructor's annotations.

    Raises:
        pydantic.ValidationError: with all problems, each with its path below `raw`.
    """
    instance, _ = _construct(cls, raw, context)
    return instance


def _construct(cls: type[Any], raw: Any, context: Context) -> tuple[Any, Mapping[str, Any]]:
    if not isinstance(raw, Mapping):
        raise refused(f"{found(raw)} found, a mapping expected")
    model, where_name = _options_model(cls)  # type: ignore[arg-type]  # mypy: a class of Any has no known hash
    try:
        options = model.model_validate(_compatible(raw, model, context), context=context)
    except ValidationError as error:
        raise readable(error, model) from None
    # In the order of the signature: a set has another one in every process.
    given = {name: getattr(options, name) for name in model.model_fields if name in options.model_fields_set}
    if where_name:
        keys = {**raw.keys_at, **raw.values_at} if isinstance(raw, Table) else {}
        own = raw.where if isinstance(raw, Table) else Where().own
        return cls(**given, **{where_name: Where(own, keys)}), given
    return cls(**given), given


def _compatible(raw: Mapping[str, Any], model: type[_Options], context: Context) -> dict[str, Any]:
    """Return the options `raw` with the ``compat`` that holds around them, where the block has such an option."""
    if context.compat is None or "compat" not in model.model_fields:
        return dict(raw)
    return {"compat": context.compat, **raw}


def option_names(cls: type[Any]) -> frozenset[str]:
    """Return the names of the options that `construct` takes for `cls`."""
    model, _ = _options_model(cls)  # type: ignore[arg-type]  # mypy: a class of Any has no known hash
    return frozenset(model.model_fields)


@functools.cache
def _options_model(cls: type[Any]) -> tuple[type[_Options], str | None]:
    """Return the pydantic model of the constructor's options and the name of its `Where` parameter."""
    parameters = _parameters(cls)
    where_name = next((name for name, option in parameters.items() if option.annotation is Where), None)
    fields: dict[str, Any] = {
        name: (
            _strict(option.annotation),
            ... if option.is_required else Field(default=None, validate_default=False),
        )
        for name, option in parameters.items()
        if name != where_name
    }
    return create_model(cls.__name__, __base__=_Options, **fields), where_name


@dataclass(frozen=True)
class Option:
    """A parameter of a constructor: its annotation, and its default where it has one."""

    annotation: Any
    default: Any = inspect.Parameter.empty

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty


def options_of(cls: type[Any]) -> Mapping[str, Option]:
    """Return the options that `construct` takes for `cls`, in the order of its signature."""
    return {name: option for name, option in _parameters(cls).items() if option.annotation is not Where}


def _parameters(cls: type[Any]) -> dict[str, Option]:
    # A dataclass inherits options, whose annotations mean what they mean in the module of the base class.
    hints = typing.get_type_hints(cls if is_dataclass(cls) else cls.__init__, include_extras=True)
    parameters: dict[str, Option] = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{cls.__qualname__}: *args and **kwargs cannot be options of a launcher file")
        parameters[name] = Option(hints.get(name, Any), parameter.default)
    return parameters


def _strict(annotation: Any) -> Any:
    """Return `annotation` with numbers that refuse true and false."""
    parts = set(typing.get_args(annotation)) | {annotation}
    if parts & {int, float, PositiveInt} and bool not in parts:
        return Annotated[annotation, BeforeValidator(_no_bool)]
    return annotation


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise refused(f"{found(value)} found, a number expected")
    return value


class Spec:
    """Base of the dataclasses that stand for a mapping of the launcher file, nested in each other."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        """Return a schema that builds this class by `construct`."""
        return core_schema.with_info_plain_validator_function(
            lambda raw, info: raw if isinstance(raw, cls) else construct(cls, raw, info.context or Context())
        )


@dataclass(frozen=True)
class Component(Generic[BlockT]):
    """A block chosen by its ``type``: `options` are those that were given, `block` is the finished object."""

    name: str
    options: Mapping[str, Any]
    block: BlockT
    where: Where = field(default_factory=Where, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={_plain(v)}' for k, v in sorted(self.options.items()))})"

    @classmethod
    def build(cls, kind: type[Block], raw: Any, context: Context | None = None) -> Component[Any]:
        """Return the component of `kind` that `raw` names: a string, or a mapping with the kind's selector.

        Raises:
            pydantic.ValidationError, PydanticCustomError: no name, an unknown one, or options it does not take.
        """
        table = _as_table(raw, kind.selector)
        if kind.selector not in table:
            raise refused(f"no {kind.selector!r} found, the name of one expected")
        name = str(table[kind.selector])
        try:
            block = lookup(kind.kind, name)
        except LookupError as error:
            raise _at(kind.selector, refused(error.args[0]), name) from None
        instance, given = _construct(block, table.without(kind.selector), context or Context())
        places = {**table.keys_at, **table.values_at}
        return cls(name, MappingProxyType(dict(given)), instance, Where(table.where, places))


class _ByTypeMarker:
    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        (block,) = typing.get_args(source)
        return core_schema.with_info_plain_validator_function(
            lambda raw, info: raw if isinstance(raw, Component) else Component.build(block, raw, info.context)
        )


ByType = _ByTypeMarker()
"""Marks a `Component` field: the block of that kind whose name the mapping's ``type`` gives."""


def _at(key: str, error: PydanticCustomError, value: Any) -> ValidationError:
    return ValidationError.from_exception_data("problem", [InitErrorDetails(type=error, loc=(key,), input=value)])


def _as_table(raw: Any, selector: str) -> Table:
    if isinstance(raw, Table):
        return raw
    if isinstance(raw, str):
        where = raw.where if isinstance(raw, Text) else Where().own
        return Table({selector: raw}, where, {selector: where}, {selector: where})
    if isinstance(raw, Mapping):
        own = Where().own
        return Table(raw, own, {}, {})
    raise refused(f"{found(raw)} found, a name or a mapping with {selector!r} expected")


def _plain(value: Any) -> Any:
    """Return an option's value as it stands in a definition: paths by name only, so that a checkout may move."""
    if isinstance(value, Path):
        return value.name
    if isinstance(value, tuple | list):
        parts = [_plain(part) for part in value]
        return parts[0] if len(parts) == 1 else parts
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _one_or_many(raw: Any) -> Any:
    if isinstance(raw, Row | list | tuple) or raw is None:
        return raw
    return [raw]


class _OneOrManyMarker:
    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_one_or_many, handler(source))


OneOrMany = _OneOrManyMarker()
"""Marks a tuple field that may be written as a single value."""
