"""What a checkpoint holds: a state dict, or a pickled module where that is allowed."""

from __future__ import annotations

import pickletools
import re
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError, did_you_mean
from .files import AGAIN, SAVE_STATE, TRUNCATED, UNKNOWN, Kind, UnusableError
from .wording import listed, raised

if TYPE_CHECKING:
    from torch import nn

__all__ = ["module_in", "read_content", "state_in"]

_PROGRAMS = {"export": "a program of torch.export", "script": "a TorchScript program"}
"""What torch.load takes for broken, or runs."""

_TRUST = "or set checkpoint_weights_only: false if you trust the file"
_SAVE_OR_TRUST = f"{SAVE_STATE}, {_TRUST}"


def read_content(path: Path, kind: Kind, *, weights_only: bool) -> Any:
    """Return what the file `path` of this `kind` holds, on the CPU; tensors are views of the file where they can be.

    No code of the file is run where `weights_only` is true.

    Raises:
        UnusableError: it cannot be read, holds more than is allowed, or needs a package that is not installed.
    """
    if kind in _PROGRAMS:
        raise UnusableError(f"is {_PROGRAMS[kind]}, not a state dict; name it as 'module', or {SAVE_STATE}")
    if kind == "safetensors":
        return _read_safetensors(path)
    if kind == "tar" and weights_only:
        raise UnusableError(f"is in the tar format of torch before 0.1.10; load it and save it again, {_TRUST}")
    return _read_torch(path, kind, weights_only)


def module_in(content: Any, key: str | None) -> nn.Module | None:
    """Return the module that `content` is or holds at the dotted `key`, ``model`` by default; None if there is none."""
    from torch import nn

    candidates = [content] if key is None else []
    candidates += _at(content, key or "model")
    return next((found for found in candidates if isinstance(found, nn.Module)), None)


def state_in(content: Any, key: str | None) -> dict[str, Any]:
    """Return the state dict in `content`, at the dotted `key` if there is one.

    Raises:
        UnusableError: there is none; says where others lie.
    """
    found = [content] if key is None else list(_at(content, key))
    if not found:
        there = [*(content if isinstance(content, Mapping) else ()), *_state_keys(content)]
        names = list(dict.fromkeys(map(str, there)))
        advice = did_you_mean(str(key), names)
        raise UnusableError(f"has no {key!r}; there are {listed(map(repr, names)) or 'no keys'}{advice}", "state_key")
    if not _is_state(found[0]):
        place = f"under {key!r} " if key else ""
        keys = listed(map(repr, _state_keys(content)))
        advice = f"; set state_key to where one lies: {keys}" if keys else f"; {SAVE_STATE}"
        blamed = "state_key" if key else None
        raise UnusableError(f"holds no state dict {place}but {_contents(found[0])}{advice}", blamed)
    state: dict[str, Any] = found[0]
    return state


def _read_safetensors(path: Path) -> Any:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        install = 'pip install "pytest-torchlauncher[safetensors]"'
        raise UnusableError(f"needs safetensors: {install}", error=MissingExtraError) from None
    try:
        return load_file(path)
    except SafetensorError as error:
        if re.search("incomplete|invalid header length", str(error)):
            raise UnusableError(TRUNCATED) from error
        raise UnusableError(f"is not a safetensors file ({error}); {AGAIN}") from error


def _read_torch(path: Path, kind: Kind, weights_only: bool) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=weights_only, mmap=kind == "zip")
    except Exception as error:
        if weights_only:
            raise UnusableError(_refusal(path, kind, error)) from error
        raise UnusableError(_failure(path, kind, error)) from error


def _refusal(path: Path, kind: Kind, error: Exception) -> str:
    """Return why torch.load failed on `path`, or would not run it."""
    failure = _failure(path, kind, error)
    if failure == TRUNCATED or not (unsafe := _unsafe_globals(path, error)):
        return failure
    return (
        f"holds more than tensors ({listed(unsafe)}), and loading that could run code from the file; {_SAVE_OR_TRUST}"
    )


def _failure(path: Path, kind: Kind, error: Exception) -> str:
    if kind == "other":
        return UNKNOWN
    if kind == "legacy" and ("unexpected EOF" in str(error) or _ends_in_a_pickle(path)):
        return TRUNCATED
    needs_code = isinstance(error, ImportError | AttributeError)
    advice = "is the code of its module on python_path?" if needs_code else AGAIN
    return f"cannot be read: torch.load {raised(error)}; {advice}"


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
