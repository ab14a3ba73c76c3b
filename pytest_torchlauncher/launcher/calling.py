"""How a module takes its arguments: by keyword or by position, batched or as a list with one tensor a sample."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
        any_positional: whether it takes ``*args``.
        any_named: whether it takes ``**kwargs``.
        lists: the parameters that take a list of tensors.
    """

    positional: tuple[str, ...]
    named: frozenset[str]
    keyword_only: frozenset[str]
    any_positional: bool
    any_named: bool
    lists: frozenset[str]

    @classmethod
    def of(cls, module: nn.Module, keywords: frozenset[str] | None = None) -> Convention:
        """Return the convention of `module`; `keywords` are those of a program, which has no signature to ask."""
        if keywords is not None:
            return cls((), keywords, keywords, any_positional=True, any_named=False, lists=frozenset())
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
            any_positional=inspect.Parameter.VAR_POSITIONAL in kinds,
            any_named=inspect.Parameter.VAR_KEYWORD in kinds,
            lists=frozenset(name for name in parameters if _is_list_of_tensors(hints.get(name))),
        )

    def takes_list(self, name: str | None = None) -> bool:
        """Return whether the parameter `name`, else the first, takes a list with one tensor a sample."""
        known = {*self.positional, *self.named}
        return (name if name in known else next(iter(self.positional), None)) in self.lists

    def named_inputs(self, inputs: Sequence[tuple[str, Any]]) -> Arguments:
        """Return the arguments for `inputs`: by keyword where the module takes their names, else by position."""
        names = [name for name, _ in inputs]
        if self._take(names) and (len(names) > 1 or names[0] in self.named or not self._spread(1)):
            return Arguments((), dict(inputs))
        return self._by_position((), inputs)

    def sample_first(self, data: Any, inputs: Sequence[tuple[str, Any]]) -> Arguments:
        """Return the arguments for a sample's `data` and then `inputs`.

        Parts of a mapping or tuple are arguments of their own where the signature takes them, else it is one argument.
        """
        if isinstance(data, Mapping) and data and self._take(list(data)):
            return self.named_inputs([*data.items(), *inputs])
        args = data if isinstance(data, tuple) and self._spread(len(data)) else (data,)
        named = self._take([name for name, _ in inputs])
        return Arguments(args, dict(inputs)) if named else self._by_position(args, inputs)

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
    return typing.get_origin(hint) is list and typing.get_args(hint) == (torch.Tensor,)
