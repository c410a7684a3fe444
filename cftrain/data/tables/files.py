"""A table in a file wherever it lies, with all that has to be known to read it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from cftrain.config.names import named
from cftrain.config.ranges import Incidental
from cftrain.data import sources
from cftrain.data.columns import ColumnKind
from cftrain.data.order import stratified_order
from cftrain.data.tables.figures import Decimal, Notation, Thousands, numbers_in
from cftrain.data.tables.origins import Origin, kept_rows
from cftrain.data.tables.parquet import framed, read_columns
from cftrain.data.tables.text import Dialect, cells, line_of
from cftrain.data.tables.unfolding import MostMemory
from cftrain.errors import ConfigError, DataError

MANDATORY = "???"
"""No level can be called so: in a configuration it is a value still to be given."""

PARQUET = (".parquet", ".pq")


@named("text")
@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """How a text file is written. Cells that are one of `missing` have no value."""

    encoding: str
    delimiter: str
    decimal: Decimal
    thousands: Thousands | None
    missing: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise ConfigError(
                "data.delimiter: expected one sign that is no quote, such as ';', got "
                f"{self.delimiter!r}"
            )

    @property
    def dialect(self) -> Dialect:
        return Dialect(encoding=self.encoding, delimiter=self.delimiter)

    @property
    def notation(self) -> Notation:
        return Notation(decimal=self.decimal, thousands=self.thousands)


@named("file")
@dataclass(frozen=True, kw_only=True)
class FileOrigin(Origin):
    """A CSV or Parquet file at a path, else of that name in `data.root` or the cache.

    The path is remembered, so that stored runs find their table again, but is no part
    of what they are; a model that was taken along has none and reads none. `text` is
    null for Parquet. With a `shuffle_seed` the rows are shuffled such that every
    stretch of them has the classes in equal shares.
    """

    path: Annotated[str | None, Incidental(today=lambda: None, remembered=True)]
    text: TextFormat | None
    most_memory: MostMemory
    unlabelled: Literal["refuse", "drop_rows"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.path:
            absolute = Path(self.path).expanduser().absolute()
            object.__setattr__(self, "path", str(absolute))

    @property
    def given(self) -> Path:
        """Returns the path. Raises ConfigError if there is none."""
        if not self.path:
            raise ConfigError("data.raw.path: expected a file, got null")
        return Path(self.path)

    @property
    def file(self) -> str:
        return self.given.name

    @property
    def called(self) -> str:
        if self.path is None:
            return "the table of data.raw.path, which is null,"
        return f"{self.path}, or a file of that name"

    @property
    def medium(self) -> str:
        return "parquet" if self.text is None else "text"

    def find(self, folders: Sequence[Path]) -> Path | None:
        return self.given if self.given.is_file() else super().find(folders)

    def read(
        self, file: sources.File, columns: Mapping[str, ColumnKind]
    ) -> pd.DataFrame:
        wanted = self.wanted(columns)
        theirs = [self.names.get(name, name) for name in wanted]
        if self.text is None:
            table = read_columns(file, theirs, self.most_memory)
            frame = plain_parquet(framed(file.path, table))
        else:
            found = cells(file, self.text.dialect, most=self.most_memory)
            frame = _present(file, found, theirs)
        frame = frame.set_axis(wanted, axis=1)
        if self.text is not None:
            frame = _typed(file, frame, columns, self.text)
        frame = kept_rows(self, file, frame)
        labelled = frame[self.label.column].notna()
        return frame if self.unlabelled == "refuse" else frame[labelled]

    def ordered(self, labels: np.ndarray) -> np.ndarray:
        if self.balance_seed is None and self.shuffle_seed is not None:
            order: np.ndarray = stratified_order(labels, self.shuffle_seed)
            return order
        return super().ordered(labels)


def is_parquet(file: sources.File) -> bool:
    """Whether a file is Parquet, by its name or by how it begins."""
    return file.path.suffix.lower() in PARQUET or file.content.startswith(b"PAR1")


def is_nested(kind: pa.DataType) -> bool:
    """Whether each cell has several values: lists, records, mappings, tensors."""
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    return bool(pa.types.is_nested(kind))


def refuse_nested(
    path: str | Path, schema: pa.Schema, columns: Collection[str], remedy: str
) -> None:
    """Raises DataError for the first column whose cells have several values."""
    for field in schema:
        if field.name in columns and is_nested(field.type):
            raise DataError(
                f"{path}, column {field.name!r}: expected single values, got "
                f"{str(field.type)[:60]}; {remedy}"
            )


def plain_parquet(frame: pd.DataFrame) -> pd.DataFrame:
    """Returns columns with dates as text and categories as their values."""
    return frame.apply(_plain)


def _plain(column: pd.Series) -> pd.Series:
    values = column
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if values.dtype.kind == "M":
        whole = (values.dropna() == values.dropna().dt.normalize()).all()
        return values.dt.strftime("%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M:%S")
    if values.map(lambda value: hasattr(value, "isoformat")).any():
        return values.map(lambda value: None if pd.isna(value) else value.isoformat())
    return values


def without_missing(frame: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """Returns cells of text, None where they are one of those that say nothing."""
    nothing = {MANDATORY, *(text.lower() for text in missing)}
    return frame.apply(
        lambda column: column.where(~column.str.lower().isin(nothing), None)
    )


def _present(
    file: sources.File, frame: pd.DataFrame, names: Sequence[str]
) -> pd.DataFrame:
    """The named columns. Raises DataError."""
    absent = [name for name in names if name not in frame]
    if absent:
        raise DataError(
            f"{file.path}, line 1: expected columns {', '.join(absent)}, got only "
            f"{', '.join(frame)}"
        )
    return frame[list(names)]


def _typed(
    file: sources.File,
    frame: pd.DataFrame,
    kinds: Mapping[str, ColumnKind],
    form: TextFormat,
) -> pd.DataFrame:
    """Numbers where columns have numbers. Raises DataError with the lines of others."""
    frame = without_missing(frame, form.missing)
    columns, mistakes = {}, []
    for name, column in frame.items():
        numbers = numbers_in(column, form.notation)
        other = np.isnan(numbers) & column.notna().to_numpy()
        if kinds.get(str(name)) == "numeric" and other.any():
            row = int(other.argmax())
            mistakes.append(
                f"{file.path}, line {line_of(file, form.dialect, row)}, column "
                f"{name!r}: expected a number, got {column.iloc[row]!r}"
            )
        numeric = kinds.get(str(name), "numeric") == "numeric" and not other.any()
        columns[name] = pd.Series(numbers) if numeric else column
    if mistakes:
        raise DataError("\n".join(mistakes))
    return pd.DataFrame(columns)
