"""An entry of a launcher's ``inputs``: one argument of the module and where its values come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field
from pydantic_core import CoreSchema, core_schema

from .errors import did_you_mean
from .options import Spec, Where
from .refusal import found

__all__ = ["INFO_TYPES", "LAYOUTS", "PRECISIONS", "Choice", "InputSpec", "choice"]

INFO_TYPES = ("IMAGE_INFO", "ORIG_IMAGE_INFO", "PROCESSED_IMAGE_INFO", "SCALE_FACTOR")
"""Computed from the sizes of each sample's image."""

_TYPES = ("INPUT", "CONST_INPUT", *INFO_TYPES, "IGNORE_INPUT", "LSTM_INPUT")

PRECISIONS = {
    "FP64": "float64",
    "FP32": "float32",
    "FP16": "float16",
    "BF16": "bfloat16",
    "U8": "uint8",
    "U16": "uint16",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "BOOL": "bool",
}
"""Names of torch's dtypes by those of the file."""

LAYOUTS = (
    *("NCHW", "NHWC", "NCWH", "NWHC"),
    *("NCDHW", "NDCHW", "NDHWC", "NDCWH", "NCHWD", "NHWDC", "NHWCD"),
    *("NCH", "CNH", "NSH", "NC", "CN", "N"),
    *("CHW", "HWC"),
)
"""Orders of axes, one letter an axis; those without N are of a single sample, for modules that take a list of them."""


@dataclass(frozen=True)
class Choice:
    """Marks text that is one of `names`, which are all of one case and may be written in any."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Return a schema that finds the name first."""
        return core_schema.no_info_before_validator_function(self.choose, handler(source))

    def choose(self, raw: Any) -> str:
        """Return the name that `raw` is.

        Raises:
            ValueError: it is none.
        """
        name = str(raw).upper() if self.names[0].isupper() else str(raw).lower()
        if name not in self.names:
            expected = f"one of {', '.join(self.names)} expected{did_you_mean(name, self.names)}"
            raise ValueError(f"{found(raw)} found, {expected}")
        return name


def choice(*names: str) -> Choice:
    """Return the mark of text that is one of `names`."""
    return Choice(names)


def _sizes(raw: Any) -> Any:
    """Return the sizes in a comma-separated string or a single number as a list."""
    if isinstance(raw, str):
        if not re.fullmatch(r"\s*-?\d+\s*(,\s*-?\d+\s*)*", raw):
            raise ValueError(f"{found(raw)} found, whole numbers with commas between them expected")
        return raw.split(",")
    return [raw] if isinstance(raw, int) and not isinstance(raw, bool) else raw


Shape: TypeAlias = Annotated[tuple[Annotated[int, Field(ge=-1)], ...], BeforeValidator(_sizes)]


@dataclass(frozen=True)
class InputSpec(Spec):
    """One argument of the module.

    Args:
        name: of the argument.
        type: where its values come from: the sample (INPUT), the file (CONST_INPUT), the sizes of the sample's image
            (IMAGE_INFO, ORIG_IMAGE_INFO, PROCESSED_IMAGE_INFO, SCALE_FACTOR), the previous step (LSTM_INPUT), or
            nowhere (IGNORE_INPUT).
        value: of INPUT the part of the sample, as a regular expression matched from its identifier's start or as a
            position from 0; of CONST_INPUT the constant; of LSTM_INPUT the output that is carried over.
        shape: the sizes without the batch, or with it; -1 is any size. It is checked, and fills a constant number.
        layout: the order in which an array reaches the module; images are (H, W, C) before.
        precision: the dtype; the module's floating dtype by default, I64 for the usual names of token inputs.
        per_sample: whether a constant is repeated for each sample of the batch.
        scale: the third value of IMAGE_INFO's rows.
        of: which size IMAGE_INFO has: the image's before preprocessing, or after its last resize.
    """

    name: str
    type: Annotated[str, choice(*_TYPES)]
    value: Any = None
    shape: Shape | None = None
    layout: Annotated[str, choice(*LAYOUTS)] = "NCHW"
    precision: Annotated[str, choice(*PRECISIONS)] | None = None
    per_sample: bool = False
    scale: float = 1.0
    of: Literal["original", "resized"] | None = None
    where: Where = field(default_factory=Where, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check what belongs together.

        Raises:
            ValueError: a key that the type does not have, or a value that it needs and lacks.
        """
        for problem in self._problems():
            raise ValueError(problem)

    def __str__(self) -> str:
        given = {"value": self.value, "shape": self.shape, "precision": self.precision, "of": self.of}
        options = [f"{key}={_plain(value)}" for key, value in given.items() if value is not None]
        options += [f"layout={self.layout}"] * (self.layout != "NCHW")
        options += ["per_sample"] * self.per_sample + [f"scale={self.scale:g}"] * (self.scale != 1)
        return f"{self.name} {self.type}({', '.join(options)})"

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width by `shape` and `layout`, None where it is no image's or leaves them open."""
        layout = self.layout if len(self.shape or ()) == len(self.layout) else self.layout.replace("N", "")
        if (
            self.type != "INPUT"
            or self.shape is None
            or len(self.shape) != len(layout)
            or not {"H", "W"} <= set(layout)
        ):
            return None
        height, width = (self.shape[layout.index(axis)] for axis in "HW")
        return (height, width) if min(height, width) > 0 else None

    @property
    def row(self) -> int | None:
        """The size of the last axis of `shape`, None where any will do."""
        return self.shape[-1] if self.shape and self.shape[-1] != -1 else None

    def _problems(self) -> Iterable[str]:
        if self.per_sample and self.type != "CONST_INPUT":
            yield f"per_sample: belongs to CONST_INPUT, and {self.name!r} is {self.type}; remove it"
        if (self.of or self.scale != 1) and self.type != "IMAGE_INFO":
            yield f"{'of' if self.of else 'scale'}: belongs to IMAGE_INFO, and {self.name!r} is {self.type}; remove it"
        if self.shape is not None and 0 in self.shape:
            yield "shape: 0 found, sizes of at least 1, or -1 for any, expected"
        checks = {"INPUT": self._input, "CONST_INPUT": self._constant, "LSTM_INPUT": self._state}
        yield from checks.get(self.type, self._info)()

    def _input(self) -> Iterable[str]:
        if isinstance(self.value, str):
            try:
                re.compile(self.value)
            except re.error as error:
                yield f"value: {self.value!r} is no regular expression: {error}"
        elif self.value is not None and (not isinstance(self.value, int) or self.value < 0 or self.value is True):
            yield f"value: {found(self.value)} found, a regular expression or a position from 0 expected"

    def _constant(self) -> Iterable[str]:
        if self.value is None:
            yield f"value is missing; CONST_INPUT {self.name!r} needs the constant"
        elif _sizes_of(self.value) is None:
            yield f"value: {_plain(self.value)!r} found, a number or a list of numbers, all rows alike, expected"
        elif not isinstance(self.value, list | tuple) and self.shape and -1 in self.shape:
            yield f"shape: {list(self.shape)} found, sizes to fill with {self.value} expected"
        else:
            unfit = next((number for number in _numbers(self.value) if not self._holds(number)), None)
            if unfit is not None:
                yield f"value: {unfit} found, which {self.precision} cannot hold"

    def _holds(self, number: float) -> bool:
        """Return whether a constant of this precision can be `number`."""
        kind = re.fullmatch(r"([UI])(\d+)", self.precision or "")
        if kind is None:
            return True
        count = 1 << int(kind[2])
        low = 0 if kind[1] == "U" else -count // 2
        return low <= number < low + count

    def _state(self) -> Iterable[str]:
        if self.value is None:
            yield f"value is missing; LSTM_INPUT {self.name!r} needs the name of the output that it carries over"
        elif not isinstance(self.value, str):
            yield f"value: {found(self.value)} found, the name of the output to carry over expected"
        if self.shape is None:
            yield f"shape is missing; LSTM_INPUT {self.name!r} needs the sizes of the zeros that it begins with"
        elif -1 in self.shape:
            yield f"shape: {list(self.shape)} found, the sizes of the zeros to begin with expected"

    def _info(self) -> Iterable[str]:
        rows = {"SCALE_FACTOR": (2,)}.get(self.type, (2, 3, 6))
        if self.type in INFO_TYPES and self.row not in (None, *rows):
            yield f"shape: {list(self.shape or ())} found, rows of {_either(rows)} values expected of {self.type}"


def _either(numbers: Sequence[int]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last


def _numbers(value: Any) -> Iterator[float]:
    """Yield the numbers in nested lists."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)
    else:
        yield value


def _sizes_of(value: Any) -> tuple[int, ...] | None:
    """Return the shape of nested lists of numbers, None if they are none or ragged."""
    if isinstance(value, int | float):
        return ()
    if not isinstance(value, list | tuple):
        return None
    inner = {_sizes_of(item) for item in value}
    sizes = inner.pop() if len(inner) == 1 else None
    return None if sizes is None else (len(value), *sizes)


def _plain(value: Any) -> Any:
    """Return `value` in builtin types, lists as they are written."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
