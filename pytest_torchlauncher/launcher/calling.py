"""How a module takes its arguments: by keyword or by position, batched or as a list with one tensor a sample."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import DataError, did_you_mean

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Arguments", "Convention"]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Convention:
    """What a module's signature says.

    Args:
        positional: names of the parameters that can be given by position, in order.
        named: those that can be given by keyword.
        keyword_only: those that can be given no other way.
        by_position: whether some can be given by position only, as in programs.
        any_positional: whether it takes ``*args``.
        any_named: whether it takes ``**kwargs``.
        lists: the parameters that take a list of tensors.
    """

    positional: tuple[str, ...]
    named: frozenset[str]
    keyword_only: frozenset[str]
    by_position: bool
    any_positional: bool
    any_named: bool
    lists: frozenset[str]

    @classmethod
    def of(cls, module: nn.Module, keywords: frozenset[str] | None = None) -> Convention:
        """Return the convention of `module`; `keywords` are those of a program, which has no signature to ask."""
        if keywords is not None:
            return cls((), keywords, keywords, True, any_positional=True, any_named=False, lists=frozenset())
        try:
            parameters = inspect.signature(module.forward).parameters
        except (TypeError, ValueError):  # a forward that is not written in Python
            return cls.of(module, frozenset())
        kinds = {parameter.kind for parameter in parameters.values()}
        hints = _hints(module)
        return cls(
            positional=tuple(name for name, p in parameters.items() if p.kind in _POSITIONAL),
            named=frozenset(name for name, p in parameters.items() if p.kind in _NAMED),
            keyword_only=frozenset(name for name, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY),
            by_position=bool(kinds & {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL}),
            any_positional=inspect.Parameter.VAR_POSITIONAL in kinds,
            any_named=inspect.Parameter.VAR_KEYWORD in kinds,
            lists=frozenset(name for name in parameters if _is_list_of_tensors(hints.get(name))),
        )

    def takes_list(self, name: str | None = None) -> bool:
        """Return whether the parameter `name`, else the first, takes a list with one tensor a sample."""
        known = {*self.positional, *self.named}
        return (name if name in known else next(iter(self.positional), None)) in self.lists

    def named_inputs(self, inputs: Sequence[tuple[str, Any]]) -> Arguments:
        """Return the arguments for `inputs`: by keyword, and by position where the module takes no such keywords.

        A lone one whose name the module does not have goes by position.

        Raises:
            DataError: one of several is no parameter of a module that takes keywords.
        """
        names = [name for name, _ in inputs]
        is_lone = len(inputs) == 1
        by_keyword = names[0] in self.named or not self._spread(1) if is_lone else self._all_named(names)
        return Arguments((), dict(inputs)) if by_keyword else self._by_position((), inputs)

    def sample_first(self, data: Any, inputs: Sequence[tuple[str, Any]]) -> Arguments:
        """Return the arguments for a sample's `data` and then `inputs`.

        Parts of a mapping or tuple are arguments of their own where the signature takes them, else it is one argument.

        Raises:
            DataError: as `named_inputs`, or an input has the name of a part.
        """
        if isinstance(data, Mapping) and data and self._take(list(data)):
            twice = [name for name, _ in inputs if name in data]
            if twice:
                raise DataError(f"{twice[0]} is a part of the sample too; choose it with type INPUT, or rename one")
            return self.named_inputs([*data.items(), *inputs])
        args = data if isinstance(data, tuple) and self._spread(len(data)) else (data,)
        named = self._all_named([name for name, _ in inputs])
        return Arguments(args, dict(inputs)) if named else self._by_position(args, inputs)

    def _all_named(self, names: Sequence[str]) -> bool:
        """Return whether `names` can all go by keyword.

        Raises:
            DataError: one cannot, though the module's parameters have names.
        """
        if self._take(names):
            return True
        if not self.by_position:
            unknown = next(name for name in names if name not in self.named)
            there = ", ".join(dict.fromkeys([*self.positional, *sorted(self.keyword_only)]))
            raise DataError(f"forward has no parameter {unknown!r}; it has {there}{did_you_mean(unknown, self.named)}")
        return False

    def _by_position(self, first: tuple[Any, ...], inputs: Sequence[tuple[str, Any]]) -> Arguments:
        """Return the arguments with `inputs` after `first`, by keyword only what cannot go otherwise."""
        kwargs = {name: value for name, value in inputs if name in self.keyword_only}
        return Arguments((*first, *(value for name, value in inputs if name not in kwargs)), kwargs)

    def _take(self, names: Sequence[str]) -> bool:
        return self.any_named or self.named.issuperset(names)

    def _spread(self, count: int) -> bool:
        return self.any_positional or len(self.positional) >= count


def _hints(module: nn.Module) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(type(module).forward)
    except Exception:  # annotations may name what is imported for type checkers only
        return getattr(type(module).forward, "__annotations__", {})


def _is_list_of_tensors(hint: Any) -> bool:
    import torch

    if isinstance(hint, str):
        return hint.replace("torch.", "").lower() == "list[tensor]"
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(map(_is_list_of_tensors, arguments))
    return origin in (list, Sequence) and arguments == (torch.Tensor,)
