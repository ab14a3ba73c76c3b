"""Reading the files of a dataset's annotations."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError, MissingDataError, display_path

__all__ = ["checked_folder", "read_bytes", "read_lines", "read_text"]


def checked_folder(folder: Path, option: str) -> Path:
    """Return `folder`, which the option named `option` gives.

    Raises:
        MissingDataError: it is not there.
        DataError: it is a file.
    """
    if folder.is_dir():
        return folder
    if folder.exists():
        raise DataError(f"{option} {display_path(folder)} is a file, a folder expected")
    raise MissingDataError(f"{option} is not there: {display_path(folder)}")


def read_bytes(path: Path, option: str) -> bytes:
    """Return the content of the file `path`, which the option named `option` gives.

    Raises:
        MissingDataError: it is not there.
        DataError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise MissingDataError(f"{option} is not there: {display_path(path)}") from None
    except OSError as error:
        raise DataError(f"{option} {display_path(path)} cannot be read: {error.strerror}") from error


def read_text(path: Path, option: str) -> str:
    """Return the text of the file `path`; see `read_bytes`.

    Raises:
        MissingDataError: it is not there.
        DataError: it cannot be read, or is no UTF-8.
    """
    try:
        return read_bytes(path, option).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{option} {display_path(path)} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None


def read_lines(path: Path, option: str) -> list[str]:
    """Return the lines of the text file `path` without surrounding blanks; see `read_text`."""
    return [line.strip() for line in read_text(path, option).rstrip().split("\n")]
