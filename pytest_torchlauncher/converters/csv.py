"""Tables with a row an item."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated as Option
from typing import NamedTuple

import numpy as np

from ..errors import DataError, Position, did_you_mean
from ..kinds import Converter
from ..options import OneOrMany
from ..paths import DataPath
from ..registry import register
from ..types import Annotated, Annotations, DatasetMeta, Label, Values
from ._files import read_lines, read_text
from ._meta import named_classes, read_meta

__all__ = ["CSV"]


class _Row(NamedTuple):
    """The cells of a row, and the line where it begins."""

    line: int
    cells: Sequence[str]


@register("csv")
@dataclass(frozen=True, kw_only=True)
class CSV(Converter):
    """Classes or numbers from a table with a header, as RFC 4180 describes it: one column names the item.

    Args:
        annotation_file: the table; blanks around a cell and blank rows do not count.
        file: the column of the item's file.
        label: the column of its class: names, or indices from 0. Names are those of `labels_file` or
            `dataset_meta_file`; without them the names that occur, sorted.
        values: the columns of its numbers, instead of `label`.
        metadata: the columns by which metrics can be judged slice by slice.
        delimiter: the character between two cells.
        labels_file: the name of a class a line, from index 0.
        dataset_meta_file: JSON with the classes, where there is no `labels_file`.
        images_dir: where the files lie, if the dataset has no ``data_source``.
    """

    annotation_file: DataPath
    file: str = "file"
    label: str | None = None
    values: Option[tuple[str, ...], OneOrMany] = ()
    metadata: Option[tuple[str, ...], OneOrMany] = ()
    delimiter: str = ","
    labels_file: DataPath | None = None
    dataset_meta_file: DataPath | None = None
    images_dir: DataPath | None = None

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ValueError: there is not one of `label` and `values`, or `delimiter` can be none.
        """
        if (self.label is None) == (not self.values):
            found = "neither label nor values" if self.label is None else "label and values"
            raise ValueError(f"{found} found, one of them expected: the column of the class, or those of numbers")
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n ':
            raise ValueError(f"delimiter: {self.delimiter!r} found, one character such as ',' or a tab expected")

    def convert(self) -> Annotations:
        """Return the rows in the order of the file.

        Raises:
            MissingDataError: a file is not there.
            DataError: the table cannot be read, lacks a column, or a cell is no class or number.
        """
        rows = list(self._rows())
        if not rows:
            raise self._error(1, "no header found, a row with the names of the columns expected")
        header, *rows = rows
        files = self._column(header, rows, self.file)
        if self.label is None:
            items, meta = self._with_values(header, rows, files), DatasetMeta()
        else:
            meta, labels = self._classes(rows, self._column(header, rows, self.label))
            items = tuple(Annotated(file, Label(index)) for file, index in zip(files, labels, strict=True))
        return Annotations(tuple(self._with_metadata(header, rows, items)), meta, self.images_dir)

    def _with_metadata(self, header: _Row, rows: Sequence[_Row], items: Sequence[Annotated]) -> Iterator[Annotated]:
        columns = {name: self._column(header, rows, name) for name in self.metadata}
        for index, item in enumerate(items):
            yield replace(item, metadata={name: cells[index] for name, cells in columns.items()})

    def _rows(self) -> Iterator[_Row]:
        text = io.StringIO(read_text(self.annotation_file, "annotation_file"), newline="")
        reader = csv.reader(text, delimiter=self.delimiter, skipinitialspace=True, strict=True)
        line = 1
        try:
            for cells in reader:
                stripped = [cell.strip() for cell in cells]
                if any(stripped):
                    yield _Row(line, stripped)
                line = reader.line_num + 1
        except csv.Error as error:
            raise self._error(line, f"no row of a table: {error}") from None

    def _column(self, header: _Row, rows: Sequence[_Row], name: str) -> list[str]:
        """Return the cells of the column `name`."""
        count = header.cells.count(name)
        if not count:
            advice = did_you_mean(name, header.cells) or f"; there are {', '.join(header.cells)}"
            raise self._error(header.line, f"no column {name!r} found{advice}")
        if count > 1:
            raise self._error(header.line, f"{count} columns {name!r} found, one expected; rename the others")
        place = header.cells.index(name)
        return [self._cell(row, place, header) for row in rows]

    def _cell(self, row: _Row, place: int, header: _Row) -> str:
        if len(row.cells) != len(header.cells):
            message = f"cells: {len(row.cells)} found, {len(header.cells)} expected as in the header"
            raise self._error(row.line, message)
        if not row.cells[place]:
            raise self._error(row.line, f"nothing found in column {header.cells[place]!r}; fill it in or drop the row")
        return row.cells[place]

    def _with_values(self, header: _Row, rows: Sequence[_Row], files: Sequence[str]) -> tuple[Annotated, ...]:
        columns = [self._numbers(rows, self._column(header, rows, name)) for name in self.values]
        table = np.array(columns, dtype=np.float64).T
        return tuple(Annotated(file, Values(values)) for file, values in zip(files, table, strict=True))

    def _numbers(self, rows: Sequence[_Row], cells: Sequence[str]) -> list[float]:
        numbers = [_number(cell) for cell in cells]
        for row, cell, number in zip(rows, cells, numbers, strict=True):
            if not math.isfinite(number):
                raise self._error(row.line, f"{cell!r} found, a finite number expected")
        return numbers

    def _classes(self, rows: Sequence[_Row], cells: Sequence[str]) -> tuple[DatasetMeta, list[int]]:
        """Return the classes and the index of each cell's."""
        meta, are_indices = self._meta(), all(cell.isascii() and cell.isdecimal() for cell in cells)
        if not meta.label_map and not are_indices:
            self._check_names(rows, cells)
            meta = replace(meta, label_map=dict(enumerate(sorted(set(cells)))))
        names = [(name, index) for index, name in meta.label_map.items()]
        # Where names are numbers too, a column that holds others are indices.
        if are_indices and not {name for name, _ in names} >= set(cells):
            names = [(str(index), index) for index in meta.label_map or set(map(int, cells))]
            cells = [str(int(cell)) for cell in cells]
        indices: dict[str, list[int]] = {}
        for name, index in names:
            indices.setdefault(name, []).append(index)
        return meta, [self._index(row, cell, indices) for row, cell in zip(rows, cells, strict=True)]

    def _check_names(self, rows: Sequence[_Row], cells: Sequence[str]) -> None:
        for row, cell in zip(rows, cells, strict=True):
            if not math.isnan(_number(cell)):
                message = f"{cell!r} found, no class index and no name beside others; correct it or give labels_file"
                raise self._error(row.line, message)

    def _index(self, row: _Row, cell: str, indices: Mapping[str, Sequence[int]]) -> int:
        found = indices.get(cell, ())
        if len(found) != 1:
            wanted = f"one of {len(indices)} classes" if not found else "a name that only one class has, or its index"
            raise self._error(row.line, f"{cell!r} found, {wanted} expected{did_you_mean(cell, set(indices) - {cell})}")
        return found[0]

    def _meta(self) -> DatasetMeta:
        if self.labels_file is not None:
            return named_classes([line for line in read_lines(self.labels_file, "labels_file") if line])
        return read_meta(self.dataset_meta_file) if self.dataset_meta_file is not None else DatasetMeta()

    def _error(self, line: int, message: str) -> DataError:
        return DataError(message, Position(self.annotation_file, line, 1))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
