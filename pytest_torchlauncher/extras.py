"""Optional packages."""

from __future__ import annotations

import importlib
from typing import Any

from .errors import MissingExtraError

__all__ = ["require"]


def require(module: str, extra: str) -> Any:
    """Return the module of that dotted name, of a package that ``pytest-torchlauncher[extra]`` brings.

    Raises:
        MissingExtraError: the package is not installed; names the extra.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        package = module.partition(".")[0]
        raise MissingExtraError(
            f'{package} is not installed; run pip install "pytest-torchlauncher[{extra}]"'
        ) from None
