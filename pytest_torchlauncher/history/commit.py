"""The commit that is checked out, read from files: no process is started."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

__all__ = ["commit_of"]

_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA")
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def commit_of(folder: Path) -> str:
    """Return the hash of the commit that is checked out in `folder` or above it.

    Without a repository it is what the variables of GitHub and GitLab say; empty where nobody does.
    """
    told = [os.environ.get(name, "") for name in _VARIABLES]
    # What cannot be read is not known.
    with suppress(OSError, UnicodeDecodeError):
        found = next((place / ".git" for place in (folder, *folder.parents) if (place / ".git").exists()), None)
        told.insert(0, _head(_repository(found)) if found else "")
    return next(filter(_HASH.fullmatch, told), "")


def _repository(found: Path) -> Path:
    """Return the repository's folder; in a worktree or submodule ``.git`` is a file that names it."""
    if found.is_dir():
        return found
    return found.parent / found.read_text("utf-8").removeprefix("gitdir:").strip()


def _head(repository: Path) -> str:
    """Return the hash of the commit; something else where there is none yet."""
    head = (repository / "HEAD").read_text("utf-8").strip()
    if not head.startswith("ref:"):
        return head
    name, common = head.removeprefix("ref:").strip(), repository / "commondir"
    # A worktree has a HEAD of its own and shares the branches.
    shared = repository / common.read_text("utf-8").strip() if common.is_file() else repository
    loose, packed = shared / name, shared / "packed-refs"
    if loose.is_file():
        return loose.read_text("utf-8").strip()
    lines = packed.read_text("utf-8").splitlines() if packed.is_file() else []
    return next((line.partition(" ")[0] for line in lines if line.partition(" ")[2] == name), "")
