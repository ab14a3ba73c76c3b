"""The folder in which xdist's workers share what they make; the controller lends it and removes it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

__all__ = ["lend_folder", "lent_folder"]

_KEY = "torchlauncher_folder"
_folder = pytest.StashKey[str]()
"""On the controller's config."""


def lend_folder(node: Any) -> None:
    """Tell the worker `node` the folder of this run, which is removed at its end."""
    config: pytest.Config = node.config
    if _folder not in config.stash:
        config.stash[_folder] = tempfile.mkdtemp(prefix="torchlauncher-")
        config.add_cleanup(lambda: shutil.rmtree(config.stash[_folder], ignore_errors=True))
    node.workerinput[_KEY] = config.stash[_folder]


def lent_folder(config: pytest.Config) -> Path | None:
    """Return the folder that was lent to this worker; None where there are no workers."""
    given = getattr(config, "workerinput", {}).get(_KEY)
    return Path(given) if given else None
