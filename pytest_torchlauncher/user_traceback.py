"""Where the user's own code raised an exception."""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from pathlib import Path

__all__ = ["user_traceback"]


def user_traceback(cause: BaseException) -> str:
    """Return the frames of `cause` that are the user's, and its message.

    Where the user has none, the model being of an installed package, that package's are shown. A message of several
    lines is shown in any case.
    """
    foreign = tuple(
        _folder(name) for name in ("pytest_torchlauncher", "_pytest", "pluggy", "torch") if name in sys.modules
    )
    frames = [f for f in traceback.extract_tb(cause.__traceback__) if not f.filename.startswith((*foreign, "<frozen"))]
    frames = [frame for frame in frames if _is_installed(frame.filename) or not _is_standard(frame.filename)]
    frames = [frame for frame in frames if not _is_installed(frame.filename)] or frames
    message = "".join(traceback.format_exception_only(cause)).rstrip()
    return "".join(traceback.format_list(frames)) + message if frames or "\n" in message else ""


def _folder(package: str) -> str:
    return f"{Path(str(sys.modules[package].__file__)).parent}{os.sep}"


def _is_installed(file: str) -> bool:
    """Return whether `file` belongs to an installed package."""
    return bool({"site-packages", "dist-packages"} & set(Path(file).parts))


def _is_standard(file: str) -> bool:
    return file.startswith(f"{sysconfig.get_path('stdlib')}{os.sep}")
