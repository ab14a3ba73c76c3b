"""Modules of the ``transformers`` package, from a folder or from its cache."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError, ModelError, did_you_mean, display_path
from ..plan import LauncherSpec
from .wording import raised, user_code

if TYPE_CHECKING:
    from torch import nn

__all__ = ["load_transformer"]

_SAVE = "save them as safetensors: model.save_pretrained(folder)"


def load_transformer(spec: LauncherSpec, args: list[Any], kwargs: Mapping[str, Any]) -> nn.Module:
    """Return what ``from_pretrained`` of ``spec.transformers_class`` gives, in evaluation mode.

    It reads the folder ``spec.python_path``, else the folder ``spec.module``, else what that names in the package's
    cache; what is not there yet is fetched. Neither code that comes with the weights is run, nor pickles.

    Raises:
        MissingExtraError: the package is not installed.
        ModelError: it has no such class, there is no such folder or name, or it cannot be loaded.
    """
    from torch import nn

    _check_arguments(spec, kwargs)
    name = f"transformers.{spec.transformers_class}"
    # What the package says of itself and of weights it initialises anew is no failure of the project's.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = _from_pretrained(_class(spec), spec, args, {**kwargs, "trust_remote_code": False})
    if not isinstance(module, nn.Module):
        found = f"{name}.from_pretrained(...) returned {type(module).__name__}"
        raise ModelError(f"transformers_class: {found}; an nn.Module expected", spec.where["transformers_class"])
    return module


def _check_arguments(spec: LauncherSpec, kwargs: Mapping[str, Any]) -> None:
    where = spec.where["module_kwargs"]
    if kwargs.get("trust_remote_code"):
        found = "trust_remote_code would run code that comes with the weights"
        advice = "put that code on python_path and name its class as 'module', without transformers_class"
        raise ModelError(f"module_kwargs: {found}; {advice}", where)
    if not kwargs.get("weights_only", True):
        raise ModelError(f"module_kwargs: weights_only: false could run code from the weights; {_SAVE}", where)


def _class(spec: LauncherSpec) -> Any:
    """Return the class of ``transformers``."""
    where, name = spec.where["transformers_class"], str(spec.transformers_class)
    try:
        import transformers
    except ImportError:
        install = 'pip install "pytest-torchlauncher[transformers]"'
        raise MissingExtraError(f"transformers_class: {name} needs transformers: {install}", where) from None
    with user_code(f"transformers_class: importing transformers.{name}", where):
        found = getattr(transformers, name, None)
    if not hasattr(found, "from_pretrained"):
        what = f"transformers.{name} has no from_pretrained" if found else f"transformers has no class {name!r}"
        advice = did_you_mean(name, dir(transformers)) if found is None else "; a class of models expected"
        raise ModelError(f"transformers_class: {what}{advice}", where)
    return found


def _from_pretrained(found: Any, spec: LauncherSpec, args: list[Any], kwargs: Mapping[str, Any]) -> Any:
    key, folder = _folder(spec)
    if folder is None and spec.module.startswith((".", "/", "~")):
        message = f"module: the folder {display_path(spec.module.path or Path(spec.module))} is not there"
        raise ModelError(f"{message}; correct the path, or name what transformers can fetch", spec.where["module"])
    where, source = spec.where[key], str(folder or spec.module)
    calling = f"{key}: transformers.{spec.transformers_class}.from_pretrained({source!r})"
    with user_code(calling, where):
        try:
            return _read(found, source, args, kwargs, is_folder=folder is not None)
        except UnpicklingError:
            reason = f"{key}: {source} holds more than tensors in a pickle, and loading that could run code from it"
            failure = ModelError(f"{reason}; {_SAVE}", where)
        except OSError as error:
            if folder is not None:
                raise
            failure = ModelError(f"{calling} {raised(error)}; {_advice(spec)}", where)
    raise failure


def _folder(spec: LauncherSpec) -> tuple[str, Path | None]:
    """Return the folder of the weights, None if a name is meant, and the key of the launcher file that gives it."""
    if spec.python_path:
        return "python_path", spec.python_path[0]
    path = spec.module.path
    return "module", path if path is not None and path.exists() else None


def _read(found: Any, source: str, args: list[Any], kwargs: Mapping[str, Any], *, is_folder: bool) -> Any:
    if not is_folder:
        # The cache alone first: the package otherwise asks for a newer version, and insists where there is no network.
        with suppress(OSError):
            return found.from_pretrained(source, *args, **{**kwargs, "local_files_only": True})
    return found.from_pretrained(source, *args, **kwargs)


def _advice(spec: LauncherSpec) -> str:
    path = spec.module.path
    folder = f"put its folder at {display_path(path)}" if path else f"name a folder, with a slash: ./{spec.module}"
    return f"fetch it once where there is network (hf download {spec.module}), or {folder}"
