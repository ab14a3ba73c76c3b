"""Threads of torch beside those of other workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..cores import workers

__all__ = ["divided_threads"]


@contextmanager
def divided_threads() -> Iterator[None]:
    """Give torch its share of the cores where workers run side by side, unless OMP_NUM_THREADS says how many."""
    import torch

    before = torch.get_num_threads()
    if workers() == 1 or "OMP_NUM_THREADS" in os.environ:
        yield
        return
    torch.set_num_threads(max(before // workers(), 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)
