"""A file of rows as it is, before anything is made of its columns."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from cftrain.data import sources
from cftrain.data.columns import MISSING
from cftrain.data.tables.figures import Notation, notation_of
from cftrain.data.tables.files import (
    TextFormat,
    is_nested,
    is_parquet,
    plain_parquet,
    refuse_nested,
    without_missing,
)
from cftrain.data.tables.guessing.table import Table
from cftrain.data.tables.parquet import framed, indices, read_columns, read_schema
from cftrain.data.tables.text import cells, dialect_of, line_of
from cftrain.errors import ConfigError, DataError

SAMPLE = 2_000
"""Rows from which the notation of numbers is read off."""

PLAIN = Notation(decimal=".", thousands=None)


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """Columns of text, or of what Parquet has, with None where a value is missing."""

    file: sources.File
    form: TextFormat | None
    frame: pd.DataFrame

    @property
    def notation(self) -> Notation:
        return PLAIN if self.form is None else self.form.notation

    def where(self, row: int) -> str:
        """Returns how a row of the file is called, for messages."""
        if self.form is None:
            return f"{self.file.path}, row {row + 1}"
        return f"{self.file.path}, line {line_of(self.file, self.form.dialect, row)}"


def raw_table(table: Table) -> RawTable:
    """Returns the file's columns, and how it is written. Raises DataError."""
    path = Path(table.path).expanduser()
    if not path.is_file():
        there = "a folder" if path.is_dir() else "no plain file"
        what = there if path.exists() else "no file of that name"
        raise DataError(
            f"data.path: expected a CSV or Parquet file, got {table.path!r}, which is "
            f"{what}"
        )
    file = sources.read_file(path, table.most_memory)
    if not file.content:
        raise DataError(f"{path}: expected a table, got an empty file")
    if is_parquet(file):
        frame = framed(path, _single(file, table))
        return RawTable(file=file, form=None, frame=plain_parquet(frame))
    _check_levels(table)
    dialect = dialect_of(file, encoding=table.encoding, delimiter=table.delimiter)
    every = cells(file, dialect, most=table.most_memory)
    frame = without_missing(every, table.missing_texts)
    columns = [frame[name].iloc[:SAMPLE] for name in frame]
    notation = notation_of(columns, table.decimal)
    form = TextFormat(
        encoding=dialect.encoding,
        delimiter=dialect.delimiter,
        decimal=notation.decimal,
        thousands=notation.thousands,
        missing=table.missing_texts,
    )
    return RawTable(file=file, form=form, frame=frame)


def _single(file: sources.File, table: Table) -> pa.Table:
    """The columns, none with lists or records: those that are left out are empty.

    Raises DataError.
    """
    schema = read_schema(file)
    noted = indices(schema)
    names = [name for name in schema.names if name not in noted]
    kept = set(names) - set(table.leave_out)
    refuse_nested(file.path, schema, kept, "data.leave_out leaves columns out")
    single = [name for name in names if not is_nested(schema.field(name).type)]
    whole = read_columns(file, single, table.most_memory)
    for place, name in enumerate(names):
        if is_nested(schema.field(name).type):
            whole = whole.add_column(place, name, pa.nulls(len(whole)))
    return whole


def _check_levels(table: Table) -> None:
    """Raises ConfigError for levels and classes whose text stands for no value."""
    # "?" is how the level of missing values is written.
    nothing = {text.lower() for text in table.missing_texts} - {MISSING}
    said = {f"levels.{name}": levels for name, levels in table.levels.items()}
    mistakes = [
        f"data.{key}: expected texts that stand for a value, got {level!r}, which is "
        "one of data.missing_texts (say these without it to keep it as a value)"
        for key, levels in {**said, "classes": table.classes or ()}.items()
        for level in levels
        if str(level).lower() in nothing
    ]
    if mistakes:
        raise ConfigError(mistakes)
