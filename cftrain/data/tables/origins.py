"""Where a table may come from, each origin with its own names, rows and label."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from cftrain.config.names import named
from cftrain.config.ranges import Count, Seed
from cftrain.data import sources
from cftrain.data.columns import ColumnKind, WrittenLevel, level_text, levels_of, listed
from cftrain.data.order import random_order
from cftrain.data.tables.cleaning import undersampled
from cftrain.data.tables.labels import LabelRule
from cftrain.data.tables.parquet import framed, read_columns
from cftrain.errors import ConfigError, DataError


@dataclass(frozen=True, kw_only=True)
class Origin(ABC):
    """A file of raw rows and how to read our columns from it.

    `rows` is the number it must hold (null: any). `names` has, for our columns that the
    file calls otherwise, its name. `only` keeps the rows with a value in a column. With
    a `balance_seed` all classes are cut at random to the size of the smallest and the
    rows are shuffled; with a `shuffle_seed` they are shuffled only; with neither they
    stay in the order of the file, which is for files whose order was published.
    """

    rows: Count | None
    names: dict[str, str]
    only: dict[str, WrittenLevel]
    label: LabelRule
    balance_seed: Seed | None
    shuffle_seed: Seed | None

    def __post_init__(self) -> None:
        if self.balance_seed is not None and self.shuffle_seed is not None:
            raise ConfigError(
                "data: expected shuffle_seed to be null where balance_seed is a "
                "number, since balanced rows are shuffled already, got "
                f"{self.shuffle_seed}"
            )
        texts = {name: level_text(value) for name, value in self.only.items()}
        object.__setattr__(self, "only", texts)

    @property
    @abstractmethod
    def file(self) -> str:
        """Returns the name of the file to look for, without a folder."""

    @property
    def called(self) -> str:
        """Returns how the file is called where it is not found."""
        return self.file

    @property
    def medium(self) -> str:
        """Returns what kind of file it is: a part of the identity of what was read."""
        return "parquet"

    @abstractmethod
    def read(
        self, file: sources.File, columns: Mapping[str, ColumnKind]
    ) -> pd.DataFrame:
        """Returns our columns and those of label and `only`. Raises DataError."""

    def label_among(self, columns: Iterable[str]) -> bool:
        """Whether the label is, by its name in the file, one of our columns."""
        theirs = {self.names.get(name, name) for name in columns}
        return self.names.get(self.label.column, self.label.column) in theirs

    def ordered(self, labels: np.ndarray) -> np.ndarray:
        """Returns the indices of the rows to keep, in their final order."""
        if self.balance_seed is not None:
            return undersampled(labels, self.balance_seed)
        if self.shuffle_seed is not None:
            order: np.ndarray = random_order(len(labels), self.shuffle_seed).numpy()
            return order
        return np.arange(len(labels))

    def find(self, folders: Sequence[Path]) -> Path | None:
        paths = (folder / self.file for folder in folders)
        return next((path for path in paths if path.is_file()), None)

    def wanted(self, columns: Iterable[str]) -> list[str]:
        return list(dict.fromkeys([*columns, self.label.column, *self.only]))


@named("parquet")
@dataclass(frozen=True, kw_only=True)
class ParquetOrigin(Origin):
    """A Parquet file, found in `data.root` or in the cache."""

    stem: str

    @property
    def file(self) -> str:
        return f"{self.stem}.parquet"

    def read(
        self, file: sources.File, columns: Mapping[str, ColumnKind]
    ) -> pd.DataFrame:
        wanted = self.wanted(columns)
        theirs = [self.names.get(name, name) for name in wanted]
        return kept_rows(self, file, _frame(file, theirs).set_axis(wanted, axis=1))


@named("openml")
@dataclass(frozen=True, kw_only=True)
class OpenmlOrigin(Origin):
    """A table of openml.org, kept in the cache as it came.

    `ratios` are columns of ours that are a quotient of two of theirs; `row_range` keeps
    the rows from the first number to before the second.
    """

    data_id: Count
    version: Count | None
    ratios: dict[str, tuple[str, str]]
    row_range: tuple[int, int] | None
    network_timeout_seconds: sources.NetworkTimeout

    @property
    def file(self) -> str:
        return f"openml-{self.data_id}.parquet"

    def read(
        self, file: sources.File, columns: Mapping[str, ColumnKind]
    ) -> pd.DataFrame:
        frame = _frame(file, self._theirs(columns))
        ours = pd.DataFrame(index=frame.index)
        for name in self.wanted(columns):
            if name in self.ratios:
                over, under = self.ratios[name]
                ours[name] = frame[over] / frame[under]
            else:
                ours[name] = frame[self.names.get(name, name)]
        first, end = self.row_range or (0, len(ours))
        return kept_rows(self, file, ours).iloc[first:end]

    def fetch(self, columns: Iterable[str]) -> None:
        """Downloads to the cache. Raises Unavailable if it is another table."""
        frame = sources.fetch_openml_frame(
            self.data_id, self.version, timeout_seconds=self.network_timeout_seconds
        )
        missing = [name for name in self._theirs(columns) if name not in frame]
        if missing or self.rows not in (None, len(frame)):
            raise sources.Unavailable(
                f"OpenML table {self.data_id}: expected {self.rows} rows and columns "
                f"{listed(self._theirs(columns))}, got {len(frame)} rows and "
                f"{listed(list(frame))}"
            )
        plain = {
            name: frame[name].astype(object)
            if isinstance(frame[name].dtype, pd.CategoricalDtype)
            else frame[name]
            for name in frame
        }
        try:
            table = pa.Table.from_pandas(pd.DataFrame(plain), preserve_index=False)
        except pa.ArrowException as error:
            raise sources.Unavailable(
                f"OpenML table {self.data_id}: expected plain columns, got {error}"
            ) from error
        sources.keep(table, self.file)

    def _theirs(self, columns: Iterable[str]) -> list[str]:
        named = [
            self.names.get(name, name)
            for name in self.wanted(columns)
            if name not in self.ratios
        ]
        parts = [part for pair in self.ratios.values() for part in pair]
        return list(dict.fromkeys([*named, *parts]))


def _frame(file: sources.File, names: list[str]) -> pd.DataFrame:
    """Returns columns in which whole numbers stay whole beside missing values.

    Raises DataError.
    """
    return framed(file.path, read_columns(file, names))


def kept_rows(origin: Origin, file: sources.File, frame: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows that `only` keeps. Raises DataError for another file."""
    if origin.rows not in (None, len(frame)):
        raise DataError(f"{file.path}: expected {origin.rows} rows, got {len(frame)}")
    for name, value in origin.only.items():
        codes, found = levels_of(frame[name])
        levels = [str(level) for level in found]
        if str(value) not in levels:
            raise DataError(
                f"{file.path}: expected rows with {value!r} in column {name!r}, got "
                f"{listed(levels)}"
            )
        frame = frame[codes == levels.index(str(value))]
    return frame
