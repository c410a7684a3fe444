"""Files with rows, read in portions: memory does not grow with their length."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOBase
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cftrain.data.sources import File
from cftrain.data.tables.figures import Notation, notation_of
from cftrain.data.tables.files import (
    PARQUET,
    is_parquet,
    plain_parquet,
    refuse_nested,
)
from cftrain.data.tables.parquet import frame_of
from cftrain.data.tables.pipes import copied, piped, unreadable
from cftrain.data.tables.records import check_lengths
from cftrain.data.tables.text import Dialect, dialect_of
from cftrain.data.tables.unfolding import fitting_rows
from cftrain.errors import DataError
from cftrain.results.folders import refuse_special

STANDARD_INPUT = "-"

SEEN_BYTES, SEEN_ROWS = 2**20, 2000
"""From which it is read off how a file is written."""

NOTHING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A")
"""What stands for a missing value in CSV."""


@dataclass(frozen=True, kw_only=True)
class RowFile(ABC):
    """A file that can be read several times; `name` is what the user calls it."""

    name: str

    @property
    @abstractmethod
    def first_line(self) -> int:
        """Returns the number of the line with the first row, for messages."""

    @abstractmethod
    def header(self) -> list[str]:
        """Returns the names of its columns. Raises DataError."""

    @abstractmethod
    def check(self, columns: Collection[str]) -> None:
        """Raises DataError unless each row has one value in each of these columns."""

    @abstractmethod
    def frames(
        self, columns: Collection[str], *, texts: Collection[str], rows: int
    ) -> Iterator[pd.DataFrame]:
        """Yields so many rows at a time, with the columns that are wanted.

        Where the format has no types, those of `texts` are read as they are written,
        whatever it is. Raises DataError.
        """


@dataclass(frozen=True, kw_only=True)
class CsvFile(RowFile):
    """Text: a path, or an open file that may be read from its start.

    `notation` is that of the numbers, None if it is still to be found out.
    """

    source: str | TextIOBase
    dialect: Dialect
    notation: Notation | None

    @property
    def first_line(self) -> int:
        return 2

    def header(self) -> list[str]:
        # As a row: as a header, the second of two equal names would get another one.
        with self._errors():
            (names,) = self._read(header=None, nrows=1, dtype=str).fillna("").to_numpy()
        return [str(name) for name in names]

    def check(self, columns: Collection[str]) -> None:
        # Of all columns: pandas drops what is too much, and shifts what is before it.
        with self._errors(), self._stream() as stream:
            check_lengths(self.name, stream, self.dialect.delimiter)

    def frames(
        self, columns: Collection[str], *, texts: Collection[str], rows: int
    ) -> Iterator[pd.DataFrame]:
        kept, numbers = set(columns), set(columns) - set(texts)
        notation = self._notation(numbers)
        options = {
            "decimal": notation.decimal,
            "thousands": notation.thousands,
            "usecols": lambda name: name in kept,
            "dtype": dict.fromkeys(texts, str),
            "na_values": dict.fromkeys(numbers, NOTHING),
            "keep_default_na": False,
            "chunksize": rows,
        }
        with self._errors(), self._read(**options) as portions:
            yield from portions

    @contextmanager
    def _stream(self) -> Iterator[TextIOBase]:
        if not isinstance(self.source, str):
            yield self.source
            return
        encoding = self.dialect.encoding
        with Path(self.source).open(encoding=encoding, newline="") as stream:
            yield stream

    def _read(self, **options: Any) -> Any:
        if not isinstance(self.source, str):
            self.source.seek(0)
        return pd.read_csv(
            self.source,
            compression=None,
            index_col=False,
            skipinitialspace=True,
            sep=self.dialect.delimiter,
            encoding=self.dialect.encoding,
            **options,
        )

    def _notation(self, numbers: Collection[str]) -> Notation:
        """That of the training's file if it fits: 1.234 may be two numbers."""
        with self._errors():
            head = self._read(
                usecols=lambda name: name in numbers,
                dtype=str,
                nrows=SEEN_ROWS,
                keep_default_na=False,
            )
        return notation_of(
            [head[name].fillna("") for name in head], first=self.notation
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raises DataError for what pandas raises."""
        try:
            yield
        except pd.errors.EmptyDataError as error:
            raise DataError(
                f"{self.name}: expected a header and rows, got nothing"
            ) from error
        except DataError:  # which is a ValueError, and told already
            raise
        except (OSError, ValueError) as error:
            raise unreadable(self.name, error) from error


@dataclass(frozen=True, kw_only=True)
class ParquetFile(RowFile):
    """A Parquet file, one row group in memory at a time."""

    @property
    def first_line(self) -> int:
        return 1

    def header(self) -> list[str]:
        with self._opened() as (_, file):
            return list(file.schema_arrow.names)

    def check(self, columns: Collection[str]) -> None:
        remedy = "a list or a record needs a column for each of its values"
        with self._opened() as (_, file):
            schema = file.schema_arrow
        refuse_nested(self.name, schema, columns, remedy)

    def frames(
        self, columns: Collection[str], *, texts: Collection[str], rows: int
    ) -> Iterator[pd.DataFrame]:
        with self._opened() as (stream, file):
            most = min(rows, fitting_rows(stream, file, columns))
            for batch in file.iter_batches(batch_size=most, columns=list(columns)):
                # Of `a.b` readers take what is within `a` and called so, too.
                names = enumerate(batch.schema.names)
                wanted = batch.select([at for at, name in names if name in columns])
                yield plain_parquet(frame_of(wanted))

    @contextmanager
    def _opened(self) -> Iterator[tuple[BinaryIO, pq.ParquetFile]]:
        try:
            refuse_special(Path(self.name))
            with Path(self.name).open("rb") as stream, pq.ParquetFile(stream) as file:
                yield stream, file
        except (OSError, ValueError, pa.ArrowException) as error:
            raise unreadable(self.name, error) from error


@contextmanager
def opened(name: str, notation: Notation | None = None) -> Iterator[RowFile]:
    """Opens a file by its name, or standard input (`-`). Raises DataError.

    What can be read once only, as a pipe, is copied to a temporary file; nobody waits
    for one that nothing is written to. `notation` is how numbers of the training were
    written.
    """
    if Path(name).suffix.lower() in PARQUET:
        yield ParquetFile(name=name)
    elif name == STANDARD_INPUT:
        with copied(name, sys.stdin) as copy:
            yield _of_copy(name, copy, notation)
    elif Path(name).is_fifo():
        with piped(name) as pipe, copied(name, pipe) as copy:
            yield _of_copy(name, copy, notation)
    else:
        try:
            refuse_special(Path(name))
            with Path(name).open("rb") as stream:
                head = stream.read(SEEN_BYTES)
        except OSError as error:
            raise unreadable(name, error) from error
        if is_parquet(File(Path(name), head)):
            yield ParquetFile(name=name)
        else:
            dialect = _dialect(name, head)
            yield CsvFile(name=name, source=name, dialect=dialect, notation=notation)


def _of_copy(name: str, copy: TextIOBase, notation: Notation | None) -> CsvFile:
    copy.seek(0)
    dialect = _dialect(name, copy.read(SEEN_BYTES).encode())
    return CsvFile(name=name, source=copy, dialect=dialect, notation=notation)


def _dialect(name: str, head: bytes) -> Dialect:
    """How a file that begins so is written."""
    if len(head) >= SEEN_BYTES:  # no line that is cut, nor a sign
        head = head[: head.rfind(b"\n") + 1]
    return dialect_of(File(Path(name), head))
