"""Imports of torch and of what builds on it, without the collector walking through everything again and again."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["importing_much"]

_LARGE = {"torch", "torchvision", "transformers"}


@contextmanager
def importing_much() -> Iterator[None]:
    """Import inside the block: garbage is not collected meanwhile, and a large package imported there never looked at.

    Half a million objects of torch and torchvision live until the end of the process. Collecting passes over them while
    they are imported, at every later collection and at exit, which is a quarter of what importing takes. Other objects
    that are there at that moment are freed with their last reference, but no longer as part of a cycle.
    """
    missing = _LARGE - sys.modules.keys()
    enabled = gc.isenabled()
    if enabled and missing:
        gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if missing & sys.modules.keys():
            gc.freeze()
        if enabled:
            gc.enable()
