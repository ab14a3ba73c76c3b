"""What kind of file a checkpoint or program is, told by its content."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import Literal, TypeAlias

from ..errors import LauncherError, ModelError

__all__ = ["AGAIN", "SAVE_STATE", "TRUNCATED", "UNKNOWN", "Kind", "UnusableError", "kind_of"]

Kind: TypeAlias = Literal["zip", "compressed zip", "legacy", "tar", "safetensors", "export", "script", "other"]
"""What ``torch.save`` writes, the same compressed, what it wrote before 1.6 and before 0.1.10, and others' files."""

AGAIN = "copy or download it again"
SAVE_STATE = "save its state dict alone: torch.save(model.state_dict(), path)"
TRUNCATED = f"is truncated; {AGAIN}"
UNKNOWN = "is not a checkpoint; a file written by torch.save or safetensors expected"

_ZIP_START = b"PK\x03\x04"
_LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickled magic number of ``torch.save`` before version 1.6."""
_LFS_START = b"version https://git-lfs"
_TAR_MEMBERS = {"storages", "tensors", "pickle"}


class UnusableError(Exception):
    """What is wrong with a file, to be put after its name.

    `key` is the key of the launcher file to change, None for the one that gives the file; `error` the class to raise.
    """

    def __init__(self, predicate: str, key: str | None = None, error: type[LauncherError] = ModelError) -> None:
        super().__init__(predicate)
        self.key = key
        self.error = error


def kind_of(path: Path) -> Kind:
    """Return the kind of the file `path`.

    Raises:
        UnusableError: it is not there, is empty, stands for another file, or is a truncated archive.
    """
    if not path.exists():
        raise UnusableError("does not exist; a file beside the launcher file or below --launcher-models-dir expected")
    if path.is_dir():
        raise UnusableError("is a folder; a file expected")
    with path.open("rb") as file:
        start = file.read(len(_LFS_START))
    if not start:
        raise UnusableError(f"is empty; {AGAIN}")
    if start == _LFS_START:
        raise UnusableError("is a git-LFS pointer, not the file it stands for; run: git lfs pull")
    # Eight bytes of length come before the header, which is JSON.
    if path.suffix == ".safetensors" or start[8:10] == b'{"':
        return "safetensors"
    if start.startswith(_ZIP_START):
        return _kind_of_archive(path)
    if start.startswith(_LEGACY_START):
        return "legacy"
    return "tar" if _is_tar(path) else "other"


def _is_tar(path: Path) -> bool:
    try:
        with tarfile.open(path, "r:") as archive:
            return set(archive.getnames()) >= _TAR_MEMBERS
    except tarfile.TarError:
        return False


def _kind_of_archive(path: Path) -> Kind:
    if not zipfile.is_zipfile(path):
        raise UnusableError(TRUNCATED)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    names = [member.filename for member in members]
    # The first is what torch.export writes now, the second what it wrote before torch 2.8.
    if any(name.endswith(("/archive_format", "serialized_exported_program.json")) for name in names):
        return "export"
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        return "script"
    if not any(name.endswith("/data.pkl") for name in names):
        return "other"
    return "zip" if all(member.compress_type == zipfile.ZIP_STORED for member in members) else "compressed zip"
