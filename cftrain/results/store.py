"""A folder of results: one part file per table and stack, each written whole."""

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cftrain.errors import ResultError
from cftrain.results.schema import FORMAT, TABLES
from cftrain.results.writing import replacing

Row = Mapping[str, Any]
Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Store:
    """Results below one folder.

    The part of `cells` is written last: rows of other tables count only if their cell
    and stack are listed there. So an interrupted writer leaves nothing half-done.
    """

    folder: Path

    def prepare(self) -> None:
        """Make the folder and see that it can be written. Raises ResultError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ResultError(
                f"{self.folder}: expected a folder that can be written, got "
                f"{error.strerror or error}; choose another one with hydra.run.dir=..."
            ) from error

    def write(self, table: str, stack: str, rows: Iterable[Row]) -> None:
        """Write the part of a stack under a temporary name, then rename it.

        Raises ResultError if the disk does not take it; an older part then stays.
        """
        columns: dict[str, list[Any]] = {name: [] for name in TABLES[table].names}
        for row in rows:
            for name, column in columns.items():
                column.append(_null_for_nan(row[name]))
        self.write_columns(table, stack, columns)

    def write_columns(self, table: str, stack: str, columns: Columns) -> None:
        """The same from whole columns, for tables of many rows. Raises ResultError."""
        path = self._part(table, stack)
        try:
            part = pa.table(dict(columns), schema=TABLES[table])
            with replacing(path) as partial:
                pq.write_table(part, partial, compression="zstd")
        except (OSError, OverflowError, pa.ArrowException) as error:
            raise ResultError(f"{path}: could not be written: {error}") from error

    def read(self, table: str, cells: Collection[str] | None = None) -> pd.DataFrame:
        """All rows of finished cells, or of some; of a repeated cell the newest."""
        finished = self._finished()
        if cells is not None:
            finished = finished[finished["cell"].isin(cells)]
        if table == "cells":
            return finished.reset_index(drop=True)
        return self.rows(table, finished)

    def rows(self, table: str, finished: pd.DataFrame) -> pd.DataFrame:
        """The same for rows of the table of cells that are at hand: only the parts of
        their stacks are read.
        """
        keys = finished[["cell", "stack"]]
        return self._read(table, set(keys["stack"])).merge(keys, on=["cell", "stack"])

    def done(self) -> set[str]:
        """Ids of the cells that were trained and evaluated."""
        finished = self._finished()
        return set(finished["cell"][finished["status"] == "done"])

    def failed(self) -> dict[str, str]:
        """Reasons by the id of the cell that failed."""
        finished = self._finished()
        lost = finished[finished["status"] == "failed"]
        return dict(zip(lost["cell"], lost["reason"], strict=True))

    def statuses(self, stack: str) -> dict[str, str | None]:
        """For each cell of a stack's part: why it failed, or None if it is done."""
        part = _read_part(self._part("cells", stack), TABLES["cells"]).to_pydict()
        return dict(zip(part["cell"], part["reason"], strict=True))

    def _finished(self) -> pd.DataFrame:
        cells = self._read("cells")
        return cells.sort_values(["created", "stack"]).drop_duplicates(
            "cell", keep="last", ignore_index=True
        )

    def _read(self, table: str, stacks: set[str] | None = None) -> pd.DataFrame:
        schema = TABLES[table]
        found = sorted((self.folder / table).glob("part-*.parquet"))
        parts = [
            _read_part(path, schema)
            for path in found
            if stacks is None or path.stem.removeprefix("part-") in stacks
        ]
        return pa.concat_tables([schema.empty_table(), *parts]).to_pandas()

    def _part(self, table: str, stack: str) -> Path:
        return self.folder / table / f"part-{stack}.parquet"


def _read_part(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        part = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ResultError(
            f"{path}: expected a readable Parquet file, got {error}; delete it and "
            "run again"
        ) from error
    found = (part.schema.metadata or {}).get(b"cftrain_format", b"none").decode()
    if found != FORMAT or not part.schema.equals(schema):
        raise ResultError(
            f"{path}: expected results of format {FORMAT}, got format {found} with "
            f"columns {', '.join(part.schema.names)}; move the folder away, run again"
        )
    return part


def _null_for_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
