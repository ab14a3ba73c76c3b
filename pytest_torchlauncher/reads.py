"""Which files and folders were read: told by Python's own audit events, so that no reader needs to say."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

__all__ = ["Reads", "is_recording", "recording", "repeated", "unnoticed"]


@dataclass(frozen=True)
class Reads:
    """Absolute paths of the files that were opened for reading, of the folders that were listed, and what is unclear.

    `thread` is the one whose reading counts; None for all.
    """

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    unclear: set[str] = field(default_factory=set)
    thread: int | None = None

    def add(self, other: Reads) -> None:
        """Count what `other` counted."""
        self.files.update(other.files)
        self.folders.update(other.folders)
        self.unclear.update(other.unclear)


_active: list[Reads] = []
_unnoticed = threading.local()


@contextmanager
def recording(*, part: bool = False) -> Iterator[Reads]:
    """Record what is read inside the block.

    Args:
        part: record what this thread reads, and only where something else is recorded already.
    """
    reads = Reads(thread=threading.get_ident() if part else None)
    if part and not _active:
        yield reads
        return
    _install()
    _active.append(reads)
    try:
        yield reads
    finally:
        _active.remove(reads)


def is_recording() -> bool:
    """Return whether somebody records what is read."""
    return bool(_active)


def repeated(reads: Reads) -> None:
    """Count `reads` of an earlier moment, whose result is used again, as reads of now."""
    for active in _active:
        active.add(reads)


@contextmanager
def unnoticed() -> Iterator[None]:
    """Count nothing that this thread reads inside the block."""
    _unnoticed.now = True
    try:
        yield
    finally:
        _unnoticed.now = False


def _install() -> None:
    # A hook stays until the end of the process, so there is one, which does nothing while nothing is recorded.
    if _hook not in _installed:
        _installed.append(_hook)
        sys.addaudithook(_hook)


_WRITING = os.O_WRONLY | os.O_RDWR
_LISTING = ("os.listdir", "os.scandir")
_UNCLEAR = (
    "sqlite3.connect",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "socket.connect",
)
"""What may read anything."""


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not _active or (event != "open" and event not in _LISTING and event not in _UNCLEAR):
        return
    if event in _UNCLEAR:
        for reads in () if _is_of_package() else tuple(_active):
            reads.unclear.add(event)
        return
    path = args[0] if args and args[0] is not None else "."
    if isinstance(path, int) or getattr(_unnoticed, "now", False):
        return
    if event == "open" and (args[2] & _WRITING if args[1] is None else set(args[1]) & set("wax+")):
        return
    if event in _LISTING and _is_search(sys._getframe(1).f_code.co_filename):
        return
    absolute = os.path.abspath(os.fsdecode(path))
    for reads in tuple(_active):
        if reads.thread in (None, threading.get_ident()):
            (reads.files if event == "open" else reads.folders).add(absolute)


def _is_of_package() -> bool:
    """Return whether an installed package does what is told now, which its version stands for."""
    frame: FrameType | None = sys._getframe(2)
    while frame and frame.f_code.co_filename.startswith(_STANDARD):
        frame = frame.f_back
    return frame is not None and any(name in frame.f_code.co_filename for name in ("site-packages", "dist-packages"))


_STANDARD = (os.path.dirname(os.__file__), "<frozen")


def _is_search(caller: str) -> bool:
    """Return whether `caller` is Python's import system, which looks for modules and packages wherever they may be."""
    return caller.startswith("<frozen importlib") or os.path.join("importlib", "metadata") in caller


_installed: list[Any] = []
