"""A file of rows as it is, before anything is made of its columns."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cftrain.data import sources
from cftrain.data.tables.figures import Notation, notation_of
from cftrain.data.tables.files import (
    TextFormat,
    is_parquet,
    plain_parquet,
    without_missing,
)
from cftrain.data.tables.guessing.table import Table
from cftrain.data.tables.text import cells, dialect_of, line_of
from cftrain.errors import DataError

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
    file = sources.read_file(path)
    if not file.content:
        raise DataError(f"{path}: expected a table, got an empty file")
    if is_parquet(file):
        frame = sources.read_all(file).to_pandas(integer_object_nulls=True)
        return RawTable(file=file, form=None, frame=plain_parquet(frame))
    dialect = dialect_of(file, encoding=table.encoding, delimiter=table.delimiter)
    frame = without_missing(cells(file, dialect), table.missing_texts)
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
