"""Weights from a file into a module, without ever running code from the file."""

from __future__ import annotations

import pickletools
import re
import zipfile
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError, ModelError, Position, did_you_mean, display_path
from ..plan import LauncherSpec
from .wording import listed, raised

if TYPE_CHECKING:
    from torch import nn

__all__ = ["load_checkpoint"]

_WRAPPER_PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every key."""

_ZIP_START = b"PK\x03\x04"
_LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickled magic number of ``torch.save`` before version 1.6."""
_LFS_START = b"version https://git-lfs"

_SAVE_STATE = "save its state dict alone: torch.save(model.state_dict(), path)"
_TRUNCATED = "is truncated; copy or download it again"
_UNKNOWN = "is not a checkpoint; a file written by torch.save or safetensors expected"


class _UnusableError(Exception):
    """What is wrong with a checkpoint, put after its name; `key` is the one of the launcher file to change."""

    def __init__(self, predicate: str, key: str = "checkpoint") -> None:
        super().__init__(predicate)
        self.key = key


def load_checkpoint(module: nn.Module, spec: LauncherSpec) -> None:
    """Load the state dict in ``spec.checkpoint`` into `module`; does nothing where `spec` names none.

    Reads what ``torch.save`` wrote, in its zip and its older format, and ``.safetensors``. The prefixes that
    DataParallel and torch.compile put before every key are stripped.

    Raises:
        MissingExtraError: the file is ``.safetensors`` and that package is not installed.
        ModelError: the file is not there or no checkpoint, ``state_key`` is not in it, or its keys or shapes are not
            those of `module`.
    """
    if spec.checkpoint is None:
        return
    try:
        state = _state_dict(_read(spec.checkpoint, spec.where["checkpoint"]), spec.state_key)
        _strip_wrappers(state, module.state_dict())
        _fill(module, state, spec.module)
    except _UnusableError as error:
        message = f"checkpoint: {display_path(spec.checkpoint)} {error}"
        raise ModelError(message, spec.where[error.key]) from error.__cause__


def _read(path: Path, where: Position) -> Any:
    """Return the content of `path` on the CPU."""
    if not path.exists():
        raise _UnusableError("does not exist; a file beside the launcher file or below --launcher-models-dir expected")
    if path.is_dir():
        raise _UnusableError("is a folder; a file expected")
    with path.open("rb") as file:
        start = file.read(len(_LFS_START))
    if not start:
        raise _UnusableError("is empty; copy or download it again")
    if start == _LFS_START:
        raise _UnusableError("is a git-LFS pointer, not the file it stands for; run: git lfs pull")
    if path.suffix == ".safetensors":
        return _read_safetensors(path, where)
    if start.startswith(_ZIP_START):
        _check_archive(path)
    return _read_torch(path, start)


def _read_safetensors(path: Path, where: Position) -> Any:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        install = 'pip install "pytest-torchlauncher[safetensors]"'
        raise MissingExtraError(f"checkpoint: {display_path(path)} needs safetensors: {install}", where) from None
    try:
        return load_file(path)
    except SafetensorError as error:
        if re.search("incomplete|invalid header length", str(error)):
            raise _UnusableError(_TRUNCATED) from error
        raise _UnusableError(f"is not a safetensors file ({error})") from error


def _check_archive(path: Path) -> None:
    """Tell archives that torch.load takes for broken, or runs."""
    if not zipfile.is_zipfile(path):
        raise _UnusableError(_TRUNCATED)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    # The first is what torch.export writes now, the second what it wrote before torch 2.8.
    if any(name.endswith(("/archive_format", "serialized_exported_program.json")) for name in names):
        raise _UnusableError(f"is a program of torch.export, not a state dict; name it as 'module', or {_SAVE_STATE}")
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        raise _UnusableError(f"is a TorchScript program, not a state dict; name it as 'module', or {_SAVE_STATE}")
    if not any(name.endswith("/data.pkl") for name in names):
        raise _UnusableError(_UNKNOWN)


def _read_torch(path: Path, start: bytes) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _UnusableError(_refusal(path, start, error)) from error


def _refusal(path: Path, start: bytes, error: Exception) -> str:
    """Return why torch.load failed on `path`."""
    if start.startswith(_LEGACY_START) and (not isinstance(error, UnpicklingError) or _ends_in_a_pickle(path)):
        return _TRUNCATED
    if unsafe := _unsafe_globals(path, error):
        found = f"holds more than tensors ({listed(unsafe)}), and loading that could run code from the file"
        return f"{found}; {_SAVE_STATE}"
    if start.startswith((_ZIP_START, _LEGACY_START)):
        return f"cannot be read: torch.load {raised(error)}"
    return _UNKNOWN


def _ends_in_a_pickle(path: Path) -> bool:
    """Return whether the file ends before the last of the five pickles that the older format begins with."""
    with path.open("rb") as file:
        try:
            for _ in range(5):
                deque(pickletools.genops(file), maxlen=0)
        except ValueError:
            return True
    return False


def _unsafe_globals(path: Path, error: Exception) -> list[str]:
    """Return the globals that kept `path` from loading; in the older format only the first of them is known."""
    from torch.serialization import get_unsafe_globals_in_checkpoint

    try:
        return sorted(get_unsafe_globals_in_checkpoint(path))
    except Exception:  # a broken file raises whatever its parts happen to mean
        return re.findall(r"GLOBAL (\S+)", str(error))[:1]


def _state_dict(content: Any, key: str | None) -> dict[str, Any]:
    """Return the state dict in `content`, at the dotted `key` if there is one."""
    found = [content] if key is None else list(_at(content, key))
    if not found:
        there = [*(content if isinstance(content, Mapping) else ()), *_state_keys(content)]
        names = list(dict.fromkeys(map(str, there)))
        advice = did_you_mean(str(key), names)
        raise _UnusableError(f"has no {key!r}; there are {listed(map(repr, names)) or 'no keys'}{advice}", "state_key")
    if not _is_state(found[0]):
        place = f"under {key!r} " if key else ""
        keys = listed(map(repr, _state_keys(content)))
        advice = f"; set state_key to where one lies: {keys}" if keys else f"; {_SAVE_STATE}"
        raise _UnusableError(
            f"holds no state dict {place}but {_contents(found[0])}{advice}", "state_key" if key else "checkpoint"
        )
    state: dict[str, Any] = found[0]
    return state


def _at(content: Any, key: str) -> Iterator[Any]:
    """Yield what lies in nested mappings at the dotted `key`, whose parts may hold dots themselves."""
    if not isinstance(content, Mapping):
        return
    if key in content:
        yield content[key]
    for dot in re.finditer(r"\.", key):
        yield from _at(content.get(key[: dot.start()]), key[dot.end() :])


def _is_state(value: Any) -> bool:
    import torch

    return (
        isinstance(value, dict)
        and len(value) > 0
        and all(isinstance(key, str) for key in value)
        and all(isinstance(item, torch.Tensor) or key.endswith("_extra_state") for key, item in value.items())
    )


def _state_keys(content: Any, prefix: str = "", depth: int = 3) -> list[str]:
    """Return the dotted keys in `content` that hold a state dict."""
    if not isinstance(content, Mapping) or not depth:
        return []
    nested = {f"{prefix}{key}": value for key, value in content.items() if isinstance(key, str)}
    return [
        name
        for key, value in nested.items()
        for name in ([key] if _is_state(value) else _state_keys(value, f"{key}.", depth - 1))
    ]


def _contents(value: Any) -> str:
    import torch

    if not isinstance(value, Mapping):
        return f"an object of type {type(value).__name__}"
    others = {str(key): type(v).__name__ for key, v in value.items() if not isinstance(v, torch.Tensor)}
    return f"a mapping with {listed(f'{k!r} ({v})' for k, v in others.items())}" if others else "an empty mapping"


def _strip_wrappers(state: dict[str, Any], own: Collection[str]) -> None:
    """Strip what all keys of `state` begin with, unless the module's `own` keys do too."""
    from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present as strip

    def wraps(prefix: str) -> bool:
        return all(key.startswith(prefix) for key in state) and not any(key.startswith(prefix) for key in own)

    while found := [prefix for prefix in _WRAPPER_PREFIXES if wraps(prefix)]:
        strip(state, found[0])


@dataclass(frozen=True)
class _Fit:
    """How the keys of a checkpoint and of a module differ; `shapes` are pairs (checkpoint's, module's)."""

    missing: Collection[str] = ()
    unexpected: Collection[str] = ()
    shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)

    def __str__(self) -> str:
        shapes = [f"{name} {found} where the module has {own}" for name, (found, own) in self.shapes.items()]
        groups = {"missing": self.missing, "unexpected": self.unexpected, "of another shape": shapes}
        return "; ".join(f"{len(names)} {what}: {listed(names)}" for what, names in groups.items() if names)


def _fill(module: nn.Module, state: dict[str, Any], name: str) -> None:
    """Load `state` into `module`, called `name` in messages."""
    try:
        fit = _load(module, state)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise _UnusableError(f"cannot be loaded into {name}: {type(error).__name__}: {reason}") from error
    if len(fit.unexpected) == len(state):
        theirs, own = listed(sorted(state)), listed(sorted(module.state_dict())) or "none"
        raise _UnusableError(f"has no key of {name}; its keys: {theirs}; the module's: {own}")
    if problems := str(fit):
        raise _UnusableError(
            f"does not fit {name}: {problems}; are the module and its arguments those of the training?"
        )


def _load(module: nn.Module, state: dict[str, Any]) -> _Fit:
    """Load what fits; torch itself compares, since modules may rename and convert keys as they load."""
    try:
        return _Fit(*module.load_state_dict(state, strict=False))
    except RuntimeError:
        own = module.state_dict()
        shapes = {name: (_shape(state[name]), _shape(own[name])) for name in state if name in own}
        differing = {name: pair for name, pair in shapes.items() if pair[0] != pair[1]}
        rest = {name: tensor for name, tensor in state.items() if name not in differing}
        missing, unexpected = module.load_state_dict(rest, strict=False)
        return _Fit([name for name in missing if name not in differing], unexpected, differing)


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape of a tensor; a module's extra state has none."""
    return tuple(getattr(value, "shape", ()))
