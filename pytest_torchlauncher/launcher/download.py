"""``checkpoint_url`` and ``checkpoint_sha256``: a file fetched once into torch's hub cache, and known by its hash."""

from __future__ import annotations

import hashlib
import re
import shutil
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from ..errors import ModelError, display_path
from ..plan import LauncherSpec
from .wording import raised

__all__ = ["check_sha256", "fetched"]

_TIMEOUT = 60
"""Seconds without an answer after which a server counts as out of reach."""


def fetched(spec: LauncherSpec) -> Path:
    """Return the file of ``spec.checkpoint_url`` in torch's hub cache, downloaded if it is not there yet.

    Raises:
        ModelError: the URL is none of http or https that names a file, it cannot be fetched, or gives another file
            than ``checkpoint_sha256`` says. Nothing is kept then.
    """
    from torch import hub

    url = str(spec.checkpoint_url)
    path = Path(hub.get_dir()) / "checkpoints" / _file_name(url, spec)
    if not path.exists():
        _expected(spec)  # told before anything is fetched
        try:
            _fetch(url, path, spec)
        except (OSError, HTTPException, ValueError) as error:  # the last of URLs that are not ASCII
            if isinstance(error, HTTPError):
                error.close()
            message = f"checkpoint_url: could not download {url} ({_reason(error)}); put the file at {path}"
            raise ModelError(message, spec.where["checkpoint_url"]) from None
    return path


def check_sha256(path: Path, spec: LauncherSpec) -> None:
    """Check the file `path` against ``checkpoint_sha256``, where `spec` has one.

    Raises:
        ModelError: its hash is another, or what is expected is none.
    """
    again = "copy the file again" if spec.checkpoint_url is None else "remove the file, so that it is fetched again"
    _check(path, f"{display_path(path)} has", again, spec)


def _check(path: Path, has: str, again: str, spec: LauncherSpec) -> None:
    expected = _expected(spec)
    if expected is None:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        difference = f"{has} the SHA-256 {found}, {expected} expected"
        message = f"checkpoint_sha256: {difference}; {again}, or correct checkpoint_sha256"
        raise ModelError(message, spec.where["checkpoint_sha256"])


def _expected(spec: LauncherSpec) -> str | None:
    """Return ``checkpoint_sha256`` in small letters."""
    expected = spec.checkpoint_sha256
    if expected is not None and not re.fullmatch("[0-9a-fA-F]{64}", expected):
        message = f"checkpoint_sha256: {expected!r} found, 64 hexadecimal digits expected"
        raise ModelError(message, spec.where["checkpoint_sha256"])
    return expected and expected.lower()


def _file_name(url: str, spec: LauncherSpec) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    name = parts.path.rpartition("/")[2]
    if parts.scheme not in ("http", "https") or not parts.netloc or name in ("", ".", ".."):
        message = f"checkpoint_url: {url!r} found, the http or https URL of a file expected"
        raise ModelError(message, spec.where["checkpoint_url"])
    return name


def _fetch(url: str, path: Path, spec: LauncherSpec) -> None:
    """Put what is at `url` at `path`, all of it or nothing.

    ``torch.hub.download_url_to_file`` would take a file whose connection broke off for a whole one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    request = Request(url, headers={"User-Agent": "torch.hub"})
    with TemporaryDirectory(prefix=f"{path.name}.", suffix=".partial", dir=path.parent) as folder:
        part = Path(folder) / path.name
        with urlopen(request, timeout=_TIMEOUT) as response, part.open("wb") as file:
            shutil.copyfileobj(response, file)
            if response.length:
                raise IncompleteRead(b"", response.length)
        _check(part, f"what {url} gave for {path} has", "it was not kept; correct checkpoint_url", spec)
        part.replace(path)


def _reason(error: Exception) -> str:
    if isinstance(error, IncompleteRead):
        return f"the connection broke off, {error.expected} bytes before the end"
    if isinstance(error, URLError) and not isinstance(error, HTTPError):
        return f"no network: {error.reason}"
    return raised(error).removeprefix("raised ")
