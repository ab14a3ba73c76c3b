"""Texts of models that read symbol by symbol until an end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ..errors import OutputError
from ..options import Compat
from ..registry import register
from ..types import Batch, Outputs, Prediction, Text
from ._text import TextDecoder, spelled

__all__ = ["SimpleDecoder"]


@register("simple_decoder")
@dataclass(frozen=True, kw_only=True)
class SimpleDecoder(TextDecoder):
    """The symbol with the highest score of every step, up to the first `eos_label`.

    Args:
        eos_label: the symbol that ends a text; without it a text has all steps.
        start_label: the symbol before `eos_label`, where a `vocabulary_file` names the others.
        start_index: the first step that counts.
        do_lower: whether to turn the text into lower case.
        compat: ``accuracy_checker`` drops the last character of a text without `eos_label`.
    """

    eos_label: str = "[s]"
    start_label: str | None = None
    start_index: Annotated[int, Field(ge=0)] = 0
    do_lower: bool = False
    compat: Compat = None

    def special_symbols(self) -> tuple[str, ...]:
        """Return the symbols that come before those of `vocabulary_file`."""
        return (self.start_label, self.eos_label) if self.start_label else (self.eos_label,)

    def adapt(self, outputs: Outputs, batch: Batch) -> Sequence[Prediction]:
        """Return the `Text` of each sample, from the first output (B, T, C).

        Raises:
            OutputError: the output has another shape, or an index has no symbol.
        """
        output, count = outputs.select(), len(batch.samples)
        if output.ndim != 3 or len(output) != count or not output.size:
            raise OutputError(
                f"an output {output.shape} for a batch of {count} found, ({count}, steps, classes) expected"
            )
        if self.start_index >= output.shape[1]:
            raise OutputError(
                f"an output of {output.shape[1]} steps found, more than start_index {self.start_index} expected"
            )
        symbols = self.symbols(batch.meta)
        rows = output.argmax(axis=2)[:, self.start_index :]
        return [Text(self._text(spelled(row, symbols))) for row in rows]

    def _text(self, symbols: list[str]) -> str:
        end = symbols.index(self.eos_label) if self.eos_label in symbols else len(symbols)
        text = "".join(symbols[:end])
        if self.compat and end == len(symbols):
            text = text[:-1]
        return text.lower() if self.do_lower else text
