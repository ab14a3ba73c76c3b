"""What the adapters of text share: symbols by index, and an output with scores of every step."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import OutputError, display_path
from ..kinds import Adapter
from ..paths import ModelPath
from ..types import Array, Batch, DatasetMeta, Outputs

__all__ = ["CtcDecoder", "TextDecoder", "spelled"]


@dataclass(frozen=True, kw_only=True)
class TextDecoder(Adapter):
    """A text, for which the model gives scores of all symbols step by step.

    Args:
        custom_label_map: from index to symbol; the ``label_map`` of the dataset by default.
        vocabulary_file: a symbol a line, instead; empty lines do not count.
    """

    custom_label_map: Mapping[int, str | int] | None = field(default=None, hash=False)
    vocabulary_file: ModelPath | None = None

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: two of them contradict.
        """
        if self.custom_label_map and self.vocabulary_file:
            raise ValueError("custom_label_map and vocabulary_file found, only one of them expected")

    def symbols(self, meta: DatasetMeta) -> Mapping[int, str]:
        """Return the symbols by index: the model's own, else those of the dataset.

        Raises:
            OutputError: there are none, or `vocabulary_file` cannot be read.
        """
        found = self.own_symbols or meta.label_map
        if not found:
            raise OutputError(
                "the dataset has no label_map, the symbols by index; set custom_label_map or vocabulary_file"
            )
        return found

    @functools.cached_property
    def own_symbols(self) -> Mapping[int, str]:
        """The symbols that the options name; none where they name none."""
        if self.vocabulary_file is not None:
            return dict(enumerate([*self.special_symbols(), *_vocabulary(self.vocabulary_file)]))
        return {index: str(symbol) for index, symbol in (self.custom_label_map or {}).items()}

    def special_symbols(self) -> tuple[str, ...]:
        """Return the symbols that come before those of `vocabulary_file`."""
        return ()


@dataclass(frozen=True, kw_only=True)
class CtcDecoder(TextDecoder):
    """A text by connectionist temporal classification, where a blank parts the symbols.

    Args:
        logits_output: name of the output or a regular expression for it; the first by default.
    """

    logits_output: str | None = None

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: two of them contradict, or one is no regular expression.
        """
        super().__post_init__()
        try:
            re.compile(self.logits_output or "")
        except re.error as error:
            raise ValueError(f"logits_output: {self.logits_output!r} is no regular expression: {error}") from None

    def steps(self, outputs: Outputs, batch: Batch) -> Array:
        """Return the scores (B, T, C) of every step, which the model gives as (B, T, C) or (T, B, C).

        Raises:
            OutputError: no such output, neither of these shapes, or nobody can tell which.
        """
        output, count = outputs.select(self.logits_output), len(batch.samples)
        if output.ndim != 3 or not output.size or count not in output.shape[:2]:
            raise OutputError(
                f"an output {output.shape} for a batch of {count} found, (steps, {count}, classes) or "
                f"({count}, steps, classes) expected"
            )
        if output.shape[:2] == (count, count) and count > 1:
            raise OutputError(
                f"an output {output.shape} for a batch of {count} found, whose steps cannot be told from its samples; "
                "set another batch"
            )
        return output if len(output) == count else output.swapaxes(0, 1)


def spelled(indices: Iterable[int], symbols: Mapping[int, str]) -> list[str]:
    """Return the symbols at `indices`.

    Raises:
        OutputError: one of them has none.
    """
    indices = [int(index) for index in indices]
    missing = next((index for index in indices if index not in symbols), None)
    if missing is not None:
        raise OutputError(
            f"index {missing} found, one of the {len(symbols)} indices with a symbol ({min(symbols)} to "
            f"{max(symbols)}) expected; correct custom_label_map, vocabulary_file or the index of the blank"
        )
    return [symbols[index] for index in indices]


def _vocabulary(path: ModelPath) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OutputError(f"vocabulary_file {display_path(path)} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise OutputError(
            f"vocabulary_file {display_path(path)} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    # Blanks around a symbol go, a line of nothing else is the blank itself. Other separators of lines are symbols.
    return [line.strip() or line for line in text.split("\n") if line]
