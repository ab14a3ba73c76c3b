"""Imports of torch and of what builds on it, without the collector walking through everything again and again."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["importing_much", "settled"]

_LARGE = {"torch", "torchvision", "transformers"}
_imported: set[str] = set()
"""Which of them were imported here, and not by the user's code."""


@contextmanager
def importing_much() -> Iterator[None]:
    """Import inside the block; garbage is not collected meanwhile.

    The half a million objects of torch and torchvision live until the end of the process: collections that pass over
    them while they become more take a fifth of the time that importing takes.
    """
    missing = _LARGE - sys.modules.keys()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        _imported.update(missing & sys.modules.keys())
        if enabled:
            gc.enable()


def settled() -> None:
    """Collect garbage a last time, and spare the many collections at the end of the process what is there now."""
    if _imported:
        _imported.clear()
        gc.collect()
        gc.freeze()
