"""Whether something draws random numbers: it must then run in order, on one thread, for two runs to be the same."""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

__all__ = ["draws"]


def draws(action: Callable[[], Any]) -> bool:
    """Run `action`; return whether it drew from the generators of `random`, numpy or torch, which are put back.

    An exception of it is swallowed, for the action is run again by whoever needs its result.
    """
    before = random.getstate(), np.random.get_state(), _of_torch()
    with suppress(Exception):
        action()
    after = random.getstate(), np.random.get_state(), _of_torch()
    random.setstate(before[0])
    np.random.set_state(before[1])
    if after[2] is None:
        return pickle.dumps(before) != pickle.dumps(after)
    import torch

    # Where the action was the first to import torch, a new generator tells what its state was.
    of_torch = torch.Generator().get_state() if before[2] is None else before[2]
    torch.set_rng_state(of_torch)
    return pickle.dumps(before[:2]) != pickle.dumps(after[:2]) or not torch.equal(of_torch, after[2])


def _of_torch() -> Any:
    """Return the state of torch's generator; None where nobody has imported torch."""
    return sys.modules["torch"].get_rng_state() if "torch" in sys.modules else None
