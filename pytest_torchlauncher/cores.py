"""How many cores this process may use: those of the machine, divided among xdist's workers."""

from __future__ import annotations

import os

__all__ = ["cores", "workers"]


def workers() -> int:
    """Return how many processes run the tests."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def cores() -> int:
    """Return this process's share of the cores that it is allowed to run on, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(allowed // workers(), 1)
