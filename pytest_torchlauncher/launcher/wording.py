"""Phrases that the launcher's errors share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import ModelError, Position

if TYPE_CHECKING:
    import torch

__all__ = ["described", "listed", "raised", "user_code"]

# A user who meets an error in a test of theirs wants to see their own frames.
__tracebackhide__ = True

_LONGEST_LIST = 10


def listed(items: Iterable[str]) -> str:
    """Return `items` with commas, after ten of them only how many more there are."""
    items = list(items)
    more = len(items) - _LONGEST_LIST
    return ", ".join(items[:_LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")


def described(tensor: torch.Tensor) -> str:
    """Return shape and dtype of `tensor`: ``(4, 10) float32``."""
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def raised(error: BaseException) -> str:
    """Return ``raised TypeError: …`` with the first line of the error's message, if it has one.

    What the interpreters of torch raise says in its last line what happened, in its first only where.
    """
    lines = str(error).strip().splitlines()
    is_wrapped = type(error).__module__ == "torch.jit" or (lines and lines[0].endswith(":"))
    return f"raised {type(error).__name__}" + (f": {lines[-1 if is_wrapped else 0]}" if lines else "")


@contextmanager
def user_code(doing: str, where: Position, context: str = "") -> Iterator[None]:
    """Tell what goes wrong inside the block as an error of the user's code, which stays in ``__cause__``.

    Raises:
        ModelError: ``<doing> raised <type>: <message><context>``.
    """
    try:
        yield
    # A script without a main guard ends in sys.exit(), which must not end the test session.
    except (Exception, SystemExit) as error:
        raise ModelError(f"{doing} {raised(error)}{context}", where) from error
