"""A folder of results: a part file for each table and stack, each written whole."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from cftrain.errors import ResultError
from cftrain.results.checking import check_markers
from cftrain.results.parts.damage import ALWAYS, complaint
from cftrain.results.parts.parquet import write_parquet
from cftrain.results.parts.reading import PART, holder, read_parts, told
from cftrain.results.schema import OF_TRAINING, TABLES
from cftrain.results.weights_file import weights_digest

Row = Mapping[str, Any]
Columns = Mapping[str, Sequence[Any]]

NEWEST = ["done", "created", "stack"]

LARGEST = 1e150
"""What is larger has no square, and so no spread."""


@dataclass(frozen=True)
class Store:
    """Results below one folder.

    What was trained and what was measured are kept apart: a cell may be evaluated by
    many protocols. The parts of `cells` and of `evaluations` are written last, and rows
    of other tables count only if these list their cell and stack. So an interrupted
    writer leaves nothing half-done.
    """

    folder: Path

    def write(self, table: str, part: str, rows: Iterable[Row]) -> None:
        """Write a part, named by its stack, under a temporary name, then rename it.

        Raises ResultError if the disk does not take it; an older part then stays.
        """
        columns: dict[str, list[Any]] = {name: [] for name in TABLES[table].names}
        for row in rows:
            for name, column in columns.items():
                column.append(_null_for_nan(row[name]))
        self.write_columns(table, part, columns)

    def write_columns(self, table: str, part: str, columns: Columns) -> None:
        """The same from whole columns, for tables of many rows. Raises ResultError."""
        path = self.path(table, part)
        try:
            content = pa.table(dict(columns), schema=TABLES[table])
        except (pa.ArrowException, OverflowError) as error:
            raise ResultError(f"{path}: could not be written: {error}") from error
        write_parquet(path, content)

    def cells(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The table of trained cells, or some of its columns.

        Of a repeated cell that row counts whose weights are here; if that does not
        tell, one that is done, then the newest.
        """
        needed = ["cell", "stack", "status", "created", "weights_sha256"]
        found = self._read("cells", columns=_with(columns, needed))
        check_markers(found, self.folder / "cells")
        names = found["cell"]
        twice = set(names[names.duplicated()])
        here = {cell: weights_digest(self.folder, cell) for cell in twice}
        matches = names.map(here).eq(found["weights_sha256"])
        chosen = _last(found.assign(matches=matches), ["cell"], ["matches", *NEWEST])
        return chosen[list(columns or TABLES["cells"].names)]

    def evaluations(
        self,
        columns: Sequence[str] | None = None,
        *,
        cells: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """The table of evaluations, or some of its columns, of the weights that count.

        Of a cell and protocol one that is done, with pictures if any has some, then the
        newest. Who has read the cells, with their `weights_sha256`, may give them.
        """
        needed = ["cell", "protocol", "stack", "pictures", "status", "created"]
        needed.append("weights_sha256")
        found = self._read("evaluations", columns=_with(columns, needed))
        check_markers(found, self.folder / "evaluations")
        if cells is None:
            cells = self.cells(["cell", "weights_sha256"])
        trained = cells.set_index("cell")
        now = found["cell"].map(trained["weights_sha256"])
        known = found["cell"].isin(trained.index)
        found = found[known & _same(found["weights_sha256"], now)]
        pictured = found["pictures"].notna() & found["pictures"].ne("")
        order = ["done", "pictured", "created", "stack"]
        found = _last(found.assign(pictured=pictured), ["cell", "protocol"], order)
        return found[list(columns or TABLES["evaluations"].names)]

    def protocols(self) -> dict[str, str]:
        """The stored protocols as JSON, by their ids, the oldest first."""
        found = self._read("protocols").sort_values("created")
        found = found.drop_duplicates("protocol", keep="last")
        return dict(zip(found["protocol"], found["config"], strict=True))

    def rows(self, table: str, chosen: pd.DataFrame) -> pd.DataFrame:
        """A table's rows that belong to some rows of `cells`, or of `evaluations`.

        Only files that hold their stacks are read. A measure that overflowed has no
        value. Raises ResultError if a part is not there: numbers without it would be
        others.
        """
        keys = ["cell", "stack"]
        if table not in OF_TRAINING:
            keys.append("protocol")
        wanted = chosen[keys].drop_duplicates()
        found = self._read(table, set(wanted["stack"].unique()))
        if table in ALWAYS and "status" in chosen:
            stacks = set(chosen["stack"][chosen["status"] == "done"])
            self._refuse_missing(table, stacks - set(found["stack"].unique()))
        found = found.merge(wanted, on=keys)
        return _without_overflow(found) if table == "metrics" else found

    def path(self, table: str, part: str) -> Path:
        """The file of a part."""
        return self.folder / table / f"{PART}{part}.parquet"

    def file(self, table: str, part: str) -> Path:
        """The file that holds a part: its own, or the one it was merged into."""
        return holder(self.folder / table, TABLES[table], part) or self.path(
            table, part
        )

    def _refuse_missing(self, table: str, stacks: Iterable[str]) -> None:
        """Raises ResultError unless stacks without rows have a part that is empty."""
        paths = [self.path(table, stack) for stack in sorted(stacks)]
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise ResultError(
                f"{self.folder}: expected a part of every stack, got none of "
                f"{told(missing)}; the next cftrain train, grid or evaluate in this "
                "folder does again what they held"
            )

    def _read(
        self,
        table: str,
        stacks: set[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Raises ResultError, for damaged files with the names of all in the folder."""
        found, damaged = read_parts(
            self.folder / table, TABLES[table], stacks=stacks, columns=columns
        )
        if damaged:
            raise complaint(self.folder, damaged)
        return found.to_pandas()


def done(finished: pd.DataFrame) -> set[str]:
    """The cells that some rows of `cells` or `evaluations` say are done."""
    return set(finished["cell"][finished["status"] == "done"])


def failed(finished: pd.DataFrame) -> dict[str, str]:
    """The cells that some rows of `cells` or `evaluations` say have failed, and why."""
    lost = finished[finished["status"] == "failed"]
    return dict(zip(lost["cell"], lost["reason"], strict=True))


def _with(columns: Sequence[str] | None, needed: list[str]) -> list[str] | None:
    return None if columns is None else list(dict.fromkeys([*columns, *needed]))


def _last(rows: pd.DataFrame, keys: list[str], order: list[str]) -> pd.DataFrame:
    """The last row of each key in an order; `done` says which are."""
    ordered = rows.assign(done=rows["status"].eq("done")).sort_values(order)
    return ordered.drop_duplicates(keys, keep="last", ignore_index=True)


def _same(left: pd.Series, right: pd.Series) -> pd.Series:
    """Where texts are equal, or both missing."""
    return left.eq(right) | (left.isna() & right.isna())


def _without_overflow(metrics: pd.DataFrame) -> pd.DataFrame:
    """Measures of which a mean and a spread can be told, NaN for others."""
    value = metrics["value"]
    return metrics.assign(value=value.where(value.abs() <= LARGEST))


def _null_for_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
