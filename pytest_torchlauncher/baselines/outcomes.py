"""Per-sample outcomes as bytes: a deterministic npz without pickles."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator

import numpy as np
import numpy.lib.format as npy

from ..errors import BaselineError
from ..types import Array, Outcomes

__all__ = ["content_hash", "pack", "unpack"]

_IDS = "ids"
_EVIDENCE = "evidence:"
_INTEGERS = tuple(np.dtype(f"<{sign}{size}") for size in (1, 2, 4, 8) for sign in "ui")


def pack(outcomes: Outcomes) -> bytes:
    """Return `outcomes` as an npz: the same bytes for the same ids and values, in whatever order columns were added.

    Identifiers are one uint8 array of UTF-8 lines. Columns keep their values in the smallest type: 0 and 1 as uint8,
    integers as the first integer type that holds them, floats as float32 where that loses nothing, else as float64.

    Raises:
        BaselineError: an identifier has a line break, or a column is not one number a sample.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in _arrays(outcomes):
            member = io.BytesIO()
            npy.write_array(member, array, version=(1, 0), allow_pickle=False)
            archive.writestr(_member(name), member.getvalue())
    return buffer.getvalue()


def unpack(content: bytes) -> Outcomes:
    """Return the outcomes that `pack` gave; columns equal in value, in their smallest types.

    Raises:
        BaselineError: `content` is damaged or no such file.
    """
    try:
        arrays = _read(content)
        lines = arrays.pop(_IDS).tobytes().decode("utf-8").split("\n")
    # Damaged archives make zipfile, zlib and numpy raise a dozen unrelated classes.
    except Exception as error:
        raise BaselineError(f"the file of outcomes is damaged: {error}") from error
    ids = tuple(lines[:-1])
    evidence = {name.removeprefix(_EVIDENCE): arrays.pop(name) for name in list(arrays) if name.startswith(_EVIDENCE)}
    if lines[-1] or any(array.shape != (len(ids),) for array in arrays.values()):
        raise BaselineError("the file of outcomes is damaged: identifiers and columns differ in length")
    return Outcomes(ids, arrays, evidence)


def content_hash(outcomes: Outcomes) -> str:
    """Return 16 hexadecimal digits of a SHA-256 over identifiers and values, whatever compression makes of them.

    Raises:
        BaselineError: as `pack`.
    """
    digest = hashlib.sha256()
    for name, array in _arrays(outcomes):
        digest.update(f"{name}\n{array.dtype.str}\n{array.nbytes}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def _arrays(outcomes: Outcomes) -> Iterator[tuple[str, Array]]:
    """Yield names and arrays in the order of the names, identifiers first."""
    broken = next((i for i in outcomes.ids if "\n" in i or not _is_utf8(i)), None)
    if broken is not None:
        raise BaselineError(f"identifier {broken!r} found, one line of UTF-8 expected; rename it")
    text = "".join(f"{identifier}\n" for identifier in outcomes.ids)
    yield _IDS, np.frombuffer(text.encode(), dtype=np.uint8)
    for name, column in sorted(outcomes.columns.items()):
        array = np.asarray(column)
        if array.shape != (len(outcomes.ids),) or array.dtype.kind not in "biuf":
            raise BaselineError(
                f"outcomes {name!r}: {array.dtype} {array.shape} found, numbers ({len(outcomes.ids)},) expected"
            )
        yield name, np.ascontiguousarray(_compact(array))
    for name, part in sorted(outcomes.evidence.items()):
        yield f"{_EVIDENCE}{name}", np.ascontiguousarray(_compact(part))


def _is_utf8(text: str) -> bool:
    return text.encode(errors="replace") == text.encode(errors="surrogatepass")


def _compact(array: Array) -> Array:
    if bool(((array == 0) | (array == 1)).all()):
        return array.astype(np.uint8)
    if array.dtype.kind != "f":
        low, high = int(array.min()), int(array.max())
        return array.astype(next(t for t in _INTEGERS if np.iinfo(t).min <= low and high <= np.iinfo(t).max))
    # Doubles beyond the range of float32 become infinite here, and are kept as they are.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        narrow = array.astype("<f4")
    return narrow if np.array_equal(narrow, array, equal_nan=True) else array.astype("<f8")


def _member(name: str) -> zipfile.ZipInfo:
    """Return a member that tells nothing of the time and the machine of writing."""
    info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info


def _read(content: bytes) -> dict[str, Array]:
    """Return all arrays by name; reading a member whole checks its checksum before numpy trusts its header."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename.removesuffix(".npy"): archive.read(info) for info in archive.infolist()}
    return {name: npy.read_array(io.BytesIO(member), allow_pickle=False) for name, member in members.items()}
