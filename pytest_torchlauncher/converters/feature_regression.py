"""Folders with files of inputs and files of the outputs that are expected for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, MissingDataError, display_path
from ..kinds import Converter
from ..paths import DataPath
from ..registry import register
from ..text_arrays import parse_array
from ..types import Annotated, Annotations, InFile, Values

__all__ = ["FeatureRegression"]


@register("feature_regression")
@dataclass(frozen=True, kw_only=True)
class FeatureRegression(Converter):
    """Expected values in a file of its own for every input: ``ref/s1.out.txt`` for ``inp/s1.in.txt``.

    References whose input is not there are left out.

    Args:
        input_dir: where the inputs lie, if the dataset has no ``data_source``.
        reference_dir: where the references lie, if the dataset has no ``additional_data_source``.
        input_suffix: how the name of an input ends.
        reference_suffix: how the name of a reference ends; the rest is that of its input.
        use_bin_data: whether references are plain numbers of `bin_data_dtype` one after another, else text.
        bin_data_dtype: numpy's name of that type.
    """

    input_dir: DataPath
    reference_dir: DataPath
    input_suffix: str = ".txt"
    reference_suffix: str = ".txt"
    use_bin_data: bool = False
    bin_data_dtype: str = "float32"

    def __post_init__(self) -> None:
        """Check the type.

        Raises:
            ValueError: it is no type of numbers.
        """
        if not _is_number(self.bin_data_dtype):
            raise ValueError(f"bin_data_dtype: {self.bin_data_dtype!r} found, a type of numbers as float32 expected")

    def convert(self) -> Annotations:
        """Return the inputs in the order of the references' names.

        Raises:
            MissingDataError: a folder is not there.
            DataError: there is no reference with an input.
        """
        names = _names(self.reference_dir, "reference_dir", self.reference_suffix)
        inputs = set(_names(self.input_dir, "input_dir", self.input_suffix))
        items = tuple(self._items(names, inputs))
        if not items:
            raise DataError(
                f"no *{self.input_suffix} in input_dir found for {len(names)} references *{self.reference_suffix}; "
                "correct input_suffix or reference_suffix"
            )
        return Annotations(items, root=self.input_dir)

    def _items(self, references: list[str], inputs: set[str]) -> Iterator[Annotated]:
        decode = _Numbers(self.bin_data_dtype) if self.use_bin_data else _decode_text
        for reference in references:
            identifier = reference.removesuffix(self.reference_suffix) + self.input_suffix
            if identifier in inputs:
                yield Annotated(identifier, InFile(reference, decode, self.reference_dir))


@dataclass(frozen=True)
class _Numbers:
    """Decodes numbers of the type `dtype` one after another."""

    dtype: str

    def __call__(self, content: bytes) -> Values:
        size = np.dtype(self.dtype).itemsize
        if not content or len(content) % size:
            raise ValueError(f"{len(content)} bytes found, numbers of {size} bytes ({self.dtype}) expected")
        return Values(np.frombuffer(content, dtype=self.dtype).astype(np.float64))


def _decode_text(content: bytes) -> Values:
    return Values(parse_array(content))


def _names(folder: Path, option: str, suffix: str) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if path.name.endswith(suffix))
    except FileNotFoundError:
        raise MissingDataError(f"{option} is not there: {display_path(folder)}") from None
    except NotADirectoryError:
        raise DataError(f"{option} {display_path(folder)} is a file, a folder expected") from None


def _is_number(dtype: str) -> bool:
    try:
        return np.dtype(dtype).kind in "iuf"
    except TypeError:
        return False
