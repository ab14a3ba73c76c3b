"""The module: what its dotted path gives when called, what ``transformers`` loads, or a program from a file."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, did_you_mean
from ..plan import LauncherSpec
from .importing import resolve
from .pretrained import downloads_told, legacy_weights
from .programs import load_program
from .transformers_class import load_transformer
from .wording import user_code

if TYPE_CHECKING:
    from torch import nn

__all__ = ["build_module", "evaluation_mode", "is_constructed", "keyword_names"]


def is_constructed(spec: LauncherSpec) -> bool:
    """Return whether the module is made by calling a class or factory, rather than read from a file or folder."""
    return spec.module.path is None and spec.transformers_class is None


def build_module(spec: LauncherSpec) -> nn.Module:
    """Return the module that `spec` describes, after its ``init_method``.

    Must be called inside `importable` of the specification's ``python_path``.

    Raises:
        MissingExtraError: ``transformers_class`` is given, and that package is not installed.
        ModelError: there is no such class, function or file, it raised an exception, or it gave no ``nn.Module``.
    """
    if spec.transformers_class is not None:
        module = load_transformer(spec, *_arguments(spec))
    elif spec.module.path is not None:
        module = load_program(spec.module.path, spec)
    else:
        module = _constructed(spec)
    return _initialised(module, spec)


def evaluation_mode(module: nn.Module) -> None:
    """Put `module` in evaluation mode; programs of torch.export, which have only the one they were made in, stay."""
    try:
        module.eval()
    except NotImplementedError:  # such a program, or a module that holds one
        for part in module.modules():
            part.training = False


def keyword_names(module: nn.Module) -> frozenset[str] | None:
    """Return the names of what `module` takes by keyword, and by keyword only, if it is a program.

    TorchScript's programs are called by position. None for other modules, whose ``forward`` has a signature.
    """
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        return frozenset()
    structure = getattr(module, "_in_spec", None)
    if not isinstance(module, torch.fx.GraphModule) or structure is None:
        return None
    _, keywords = structure.unflatten(range(structure.num_leaves))
    return frozenset(keywords)


def _constructed(spec: LauncherSpec) -> nn.Module:
    from torch import nn

    where = spec.where["module"]
    factory = resolve(spec)
    if isinstance(factory, nn.Module) or not callable(factory):
        found = f"{spec.module} is of type {type(factory).__name__}"
        raise ModelError(f"module: {found}; a class or function that returns an nn.Module expected", where)
    calling = f"module: {spec.module}(...)"
    with downloads_told(calling, where), user_code(calling, where), _without_torchvision_deprecations():
        module = _called(factory, *_arguments(spec))
    if not isinstance(module, nn.Module):
        found = f"{spec.module}(...) returned {type(module).__name__}"
        raise ModelError(f"module: {found}; an nn.Module expected", where)
    return module


def _called(factory: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    try:
        return factory(*args, **kwargs)
    except TypeError as error:
        weights = legacy_weights(factory, kwargs) if _refuses_pretrained(error) else None
        if weights is None:
            raise
    return factory(*args, **weights)


def _refuses_pretrained(error: TypeError) -> bool:
    return "unexpected keyword argument 'pretrained'" in str(error)


def _initialised(module: nn.Module, spec: LauncherSpec) -> nn.Module:
    """Return what ``init_method`` of `module` returns, `module` itself where there is none."""
    from torch import nn

    name = spec.init_method
    if name is None:
        return module
    where = spec.where["init_method"]
    if not callable(getattr(module, name, None)):
        advice = did_you_mean(name, _methods(type(module)))
        raise ModelError(f"init_method: {type(module).__name__} has no method {name!r}{advice}", where)
    calling = f"init_method: {type(module).__name__}.{name}()"
    with user_code(calling, where):
        result = getattr(module, name)()
    if not isinstance(result, nn.Module):
        found = "nothing" if result is None else type(result).__name__
        raise ModelError(f"{calling} returned {found}; it must return the module to use, itself as a rule", where)
    return result


def _methods(cls: type) -> list[str]:
    return [name for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name))]


def _arguments(spec: LauncherSpec) -> tuple[list[Any], dict[str, Any]]:
    return _plain(spec.module_args), _plain(spec.module_kwargs)


def _plain(value: Any) -> Any:
    """Return a copy of `value` in builtin types: the user's code shall not meet the file's located ones."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


@contextmanager
def _without_torchvision_deprecations() -> Iterator[None]:
    """Silence what torchvision says of ``pretrained``, which published launcher files use."""
    with warnings.catch_warnings():
        for message in ("The parameter '", "Arguments other than a weight enum"):
            warnings.filterwarnings("ignore", message, UserWarning, r"torchvision\.models\._utils")
        yield
