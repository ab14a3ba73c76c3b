"""From a launcher's plan to its module, weights included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, display_path
from ..plan import LauncherSpec
from .checkpoint import module_in, read_content, state_in
from .download import check_sha256, fetched
from .files import UnusableError, kind_of
from .lean import build_with
from .module import build_module
from .state import Fit, fill, unwrapped

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Loaded", "load_module"]


@dataclass(frozen=True)
class Loaded:
    """A module with its weights.

    Args:
        module: ready to be put on a device.
        missing_keys: what the module has and the checkpoint has not, where ``strict`` is false.
        unexpected_keys: the other way round.
        lean: whether the module took the checkpoint's tensors, rather than copies.
    """

    module: nn.Module
    missing_keys: tuple[str, ...] = ()
    unexpected_keys: tuple[str, ...] = ()
    lean: bool = False


def load_module(spec: LauncherSpec, *, lean: bool = True) -> Loaded:
    """Return the module that `spec` describes, with the weights of its ``checkpoint`` or ``checkpoint_url``.

    The checkpoint is read first: state dicts in both formats of ``torch.save`` and in safetensors, or a pickled module,
    which then is the module, where ``checkpoint_weights_only`` is false. The module takes the tensors of the file where
    `lean` and that gives the same module; else it is built as usual, and they are copied.

    Must be called inside `importable` of the specification's ``python_path``.

    Raises:
        MissingExtraError: the checkpoint's format or the module needs a package that is not installed.
        ModelError: there is no such checkpoint, it holds no weights of this module or more than is allowed, or the
            module cannot be imported or built.
    """
    key = _key(spec)
    path = fetched(spec) if key == "checkpoint_url" else spec.checkpoint
    if path is None:
        return Loaded(build_module(spec))
    with _told(key, path, spec):
        content = _content(path, spec)
        pickled = None if spec.checkpoint_weights_only else module_in(content, spec.state_key)
        if pickled is not None:
            return Loaded(pickled)
        state = state_in(content, spec.state_key)
        built = build_with(state, spec) if lean else None
        module, fit = built or _built_plainly(state, spec)
        return Loaded(module, tuple(fit.missing), tuple(fit.unexpected), lean=built is not None)


def _built_plainly(state: Mapping[str, Any], spec: LauncherSpec) -> tuple[nn.Module, Fit]:
    module = build_module(spec)
    return module, fill(module, unwrapped(state, module), spec.module, strict=spec.strict)


def _key(spec: LauncherSpec) -> str:
    """Return the key of `spec` that gives the checkpoint."""
    if spec.checkpoint is not None and spec.checkpoint_url is not None:
        message = "checkpoint_url: stands beside checkpoint, and only one of them can give the weights; remove one"
        raise ModelError(message, spec.where["checkpoint_url"])
    if spec.checkpoint is None and spec.checkpoint_url is None and spec.checkpoint_sha256 is not None:
        message = (
            "checkpoint_sha256: there is no checkpoint or checkpoint_url that it could be of; add one, or remove it"
        )
        raise ModelError(message, spec.where["checkpoint_sha256"])
    return "checkpoint" if spec.checkpoint_url is None else "checkpoint_url"


def _content(path: Path, spec: LauncherSpec) -> Any:
    kind = kind_of(path)
    check_sha256(path, spec)
    return read_content(path, kind, weights_only=spec.checkpoint_weights_only)


@contextmanager
def _told(key: str, path: Path, spec: LauncherSpec) -> Iterator[None]:
    """Tell what is wrong with the checkpoint `path` at its place in the launcher file."""
    try:
        yield
    except UnusableError as error:
        message = f"{key}: {display_path(path)} {error}"
        raise error.error(message, spec.where[error.key or key]) from error.__cause__
