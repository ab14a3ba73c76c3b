"""Preprocessed samples that several evaluations of a run share: made once, kept in memory, what is more on disk."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..types import Sample
from .packing import name_of, packed, unpacked

__all__ = ["Shelf"]

_MEMORY = 256 << 20
"""Bytes that are kept in memory; all processes of a run share what is on disk, through the system's own cache."""
_FREE = 1 << 30
"""Bytes that stay free on the disk: what would take them is made again instead."""


class Shelf:
    """Packages of samples by the text that says how they are made.

    A package on disk lies under the SHA-256 of its content, mapped into memory when it is read, and is made again where
    its content is another. A package that cannot be kept is made again as well: nothing here fails an evaluation.

    Args:
        folder: which all processes of the run use; what one makes the others wait for. Without one everything is kept
            in memory as far as that goes, and then in a folder of this process.
        memory: how many bytes are kept in memory.
    """

    def __init__(self, folder: Path | None = None, memory: int = _MEMORY) -> None:
        self._shared = folder
        self._own: Path | None = None
        self._free = 0 if folder else memory
        self._lock = threading.Lock()
        self._held: dict[str, dict[str, bytes | str]] = {}

    def samples(self, chain: str, part: str, make: Callable[[], Sequence[Sample]]) -> Sequence[Sample]:
        """Return the `part` of the samples that `chain` describes; `make` gives them where they are not there.

        Raises:
            Exception: whatever `make` raises.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(self._alone(chain, part))
                found = self._found(chain, part)
            except Exception:  # a folder that cannot be locked, a class that is gone
                found = None
            if found is not None:
                return found
            samples = make()
            self._keep(chain, part, samples)
            return samples

    def forget(self, chain: str) -> None:
        """Let go of the samples of `chain` that this process alone has."""
        with self._lock:
            packages = self._held.pop(chain, {}).values()
            self._free += sum(len(package) for package in packages if isinstance(package, bytes))
        for name in packages:
            if isinstance(name, str) and self._own and not self._is_held(name):
                (self._own / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove what this process alone has."""
        self._held.clear()
        if self._own:
            shutil.rmtree(self._own, ignore_errors=True)

    def _is_held(self, name: str) -> bool:
        return any(name in packages.values() for packages in self._held.values())

    @contextmanager
    def _alone(self, chain: str, part: str) -> Iterator[None]:
        """Keep other processes from making the same samples meanwhile."""
        if self._shared is None:
            yield
            return
        from filelock import FileLock

        with FileLock(self._shared / f"{_entry(chain, part)}.lock"):
            yield

    def _found(self, chain: str, part: str) -> list[Sample] | None:
        package = self._held.get(chain, {}).get(part)
        if package is None and self._shared:
            with contextlib.suppress(OSError):
                package = (self._shared / _entry(chain, part)).read_text("ascii")
        if isinstance(package, bytes):
            return unpacked(bytearray(package))
        folder = self._shared or self._own
        return _read(folder / package) if folder and package else None

    def _keep(self, chain: str, part: str, samples: Sequence[Sample]) -> None:
        try:
            package = packed(samples)
        except Exception:  # an annotation of user code that cannot be pickled
            return
        with self._lock:
            fits = len(package) <= self._free
            self._free -= len(package) if fits else 0
        held: bytes | str | None = package if fits else self._written(package)
        if held is None:
            return
        with self._lock:
            self._held.setdefault(chain, {})[part] = held
        if self._shared and isinstance(held, str):
            with contextlib.suppress(OSError):
                _write(self._shared / _entry(chain, part), held.encode("ascii"))

    def _written(self, package: bytes) -> str | None:
        """Return the name under which `package` lies on disk; None where it cannot."""
        name = name_of(package)
        with contextlib.suppress(OSError):
            folder = self._folder()
            if shutil.disk_usage(folder).free - len(package) > _FREE:
                _write(folder / name, package)
                return name
        return None

    def _folder(self) -> Path:
        with self._lock:
            if self._own is None and self._shared is None:
                self._own = Path(tempfile.mkdtemp(prefix="torchlauncher-"))
        return self._shared or self._own or Path()


def _entry(chain: str, part: str) -> str:
    return f"{hashlib.sha256(chain.encode(errors='surrogateescape')).hexdigest()}-{part}"


def _write(path: Path, content: bytes) -> None:
    """Write `content`, whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> list[Sample] | None:
    """Return the samples in the file `path`; None where it is not there, or not what was written."""
    try:
        with path.open("rb") as file:
            # What somebody writes to the arrays stays with them.
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None
    return unpacked(content) if name_of(content) == path.name else None
