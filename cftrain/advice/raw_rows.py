"""Rows as people have them, from CSV or Parquet, checked column by column.

A file is read twice: first it is checked as a whole, so that a mistake in its last row
is told before any answer is, then its rows are handed out.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cftrain.advice.raw_files import NOTHING, RowFile, opened
from cftrain.data.columns import (
    MISSING,
    CategoricalColumn,
    Level,
    NumericColumn,
    levels_of,
    listed,
)
from cftrain.data.encoding import Codec
from cftrain.data.kinds.column import Column
from cftrain.data.kinds.dates import DateColumn, days_of
from cftrain.data.kinds.imputed import ImputedColumn
from cftrain.data.kinds.ordered import OrderedColumn
from cftrain.data.tables.figures import Notation
from cftrain.data.told import Told, as_given
from cftrain.errors import DataError, Mistakes, shown

PORTION = 1000
"""Rows that are read at a time."""

BOOLEANS = {"true": "1", "false": "0"}
"""How CSV writes true and false, which are the levels 1 and 0."""


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Some rows, the place of the first one, and the values of a column to group by.

    Rows that are files have `names`.
    """

    first_row: int
    rows: Told
    groups: pd.Series | None
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class RawRows:
    """A file that was found to be fit for a model, with `count` rows.

    `groups` names the column that the rows are grouped by, of the model or not.
    """

    file: RowFile
    codec: Codec
    groups: str | None
    count: int

    def __iter__(self) -> Iterator[Portion]:
        for start, frame in _frames(self.file, self.codec, self.groups):
            groups = None if self.groups is None else frame[self.groups]
            yield Portion(
                first_row=start, rows=as_given(frame, self.codec), groups=groups
            )


@contextmanager
def raw_rows(
    name: str, codec: Codec, *, groups: str | None, notation: Notation | None = None
) -> Iterator[RawRows]:
    """Opens a CSV or Parquet file, or CSV from standard input (`-`).

    `notation` is how the file of the training writes numbers, which decides what else
    could be read in two ways.

    Columns that neither the model knows nor `groups` names are ignored. Raises
    DataError with every mistake: its line, its column, what was expected and found.
    """
    with opened(name, notation) as file:
        _check_header(file, codec, groups)
        file.check(_wanted(codec, groups))
        count = _checked(file, codec, groups)
        yield RawRows(file=file, codec=codec, groups=groups, count=count)


def _check_header(file: RowFile, codec: Codec, groups: str | None) -> None:
    header = file.header()
    wanted = _wanted(codec, groups)
    twice = [name for name in wanted if header.count(name) > 1]
    if twice:
        raise DataError(
            f"{file.name}: expected each column once, got twice {listed(twice)}"
        )
    mistakes = Mistakes(where=file.name)
    mistakes.add(
        f"expected a column {name!r}, got {listed(header)}"
        for name in wanted
        if name not in header
    )
    mistakes.refuse()


def _wanted(codec: Codec, groups: str | None) -> list[str]:
    known = list(codec.inputs)
    return known if groups is None or groups in known else [*known, groups]


def _checked(file: RowFile, codec: Codec, groups: str | None) -> int:
    """The number of rows. Raises DataError for those that the model cannot take."""
    mistakes, count = Mistakes(where=file.name), 0
    for start, frame in _frames(file, codec, groups):
        count = start + len(frame)
        mistakes.add(_mistakes(frame, codec, start + file.first_line))
    if not count:
        mistakes.add(["expected at least one row, got none"])
    mistakes.refuse()
    return count


def _frames(
    file: RowFile, codec: Codec, groups: str | None
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Portions of a file, and the place of the first row of each."""
    numbers = {
        column.name
        for column in codec.columns
        if isinstance(column.scale, NumericColumn)
    }
    others = [column for column in codec.columns if column.name not in numbers]
    wanted, start = _wanted(codec, groups), 0
    texts = [name for name in wanted if name not in numbers]
    for frame in file.frames(wanted, texts=texts, rows=PORTION):
        frame.index = pd.RangeIndex(start, start + len(frame))
        for column in others:
            frame[column.name] = _with_levels(frame[column.name], levels(column))
        yield start, frame
        start += len(frame)


def levels(column: Column) -> tuple[Level, ...]:
    """Returns the levels of a category, with an order or without; else none."""
    plain = column.scale or column
    return plain.levels if isinstance(plain, CategoricalColumn | OrderedColumn) else ()


def _with_levels(values: pd.Series, found: Sequence[Level]) -> pd.Series:
    """Values with a level in place of each text that stands for one."""
    known = {str(level): level for level in found}
    codes, given = pd.factorize(values.astype(object))
    meant = [_meant(value, known) for value in given]
    return pd.Series(np.array([*meant, None], dtype=object)[codes], index=values.index)


def _meant(value: Any, known: Mapping[str, Level]) -> Any:
    """The level that a text stands for, None for nothing, or the value itself."""
    if not isinstance(value, str) or value in known:
        return known.get(value, value)
    if value in NOTHING:
        return None
    with suppress(ValueError):
        number = float(BOOLEANS.get(value.lower(), value))
        return known.get(str(int(number)), value) if number.is_integer() else value
    return value


def _mistakes(frame: pd.DataFrame, codec: Codec, first_line: int) -> Iterator[str]:
    for column in codec.columns:
        values = frame[column.name]
        wrong, expected = _wrong(values, column)
        for place in np.flatnonzero(wrong):
            value = values.iloc[place]
            got = "nothing" if pd.isna(value) else shown(value)
            yield (
                f"line {place + first_line}, column {column.name!r}: expected "
                f"{expected}, got {got}"
            )


def _wrong(values: pd.Series, column: Column) -> tuple[np.ndarray, str]:
    """Which values the column cannot take, and what it could."""
    if isinstance(column, ImputedColumn):
        wrong, expected = _wrong(values, column.inner)
        return wrong & values.notna().to_numpy(), f"{expected} or nothing"
    if isinstance(column, DateColumn):
        days = days_of(values, column.format)
        return np.isnan(days), f"a date like {column.written_now}"
    if isinstance(column, CategoricalColumn | OrderedColumn):
        codes, found = levels_of(values)
        unknown = np.array([level not in column.levels for level in found])
        if isinstance(column, CategoricalColumn) and column.rest is not None:
            unknown &= np.array([level == MISSING for level in found])
        known = [level for level in column.levels if level != MISSING]
        return unknown[codes], f"one of {listed(known)}"
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    return ~np.isfinite(numbers), "a number"
