"""A folder of results: one part file per table and stack, each written whole."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cftrain.errors import ResultError
from cftrain.results.schema import EVALUATIONS, FORMAT, OF_TRAINING, TABLES
from cftrain.results.writing import written_whole

Row = Mapping[str, Any]
Columns = Mapping[str, Sequence[Any]]

ANEW = (
    "move the folder away and run its command again (its config.yaml has the "
    "configuration), or use the version of cftrain that made it"
)


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
        with written_whole(path, pa.ArrowException) as partial:
            content = pa.table(dict(columns), schema=TABLES[table])
            pq.write_table(content, partial, compression="zstd")

    def cells(self) -> pd.DataFrame:
        """The table of trained cells; of a repeated cell the newest row."""
        return _newest(self._read("cells"), ["cell"])

    def evaluations(self) -> pd.DataFrame:
        """The table of evaluations; of a cell and protocol the newest row.

        Those of weights that have been trained again since do not count.
        """
        found = _newest(self._read("evaluations"), ["cell", "protocol"])
        trained = self.cells()[["cell", "created"]]
        found = found.merge(trained, on="cell", suffixes=("", "_trained"))
        current = found[found["created"] >= found["created_trained"]]
        return current[list(EVALUATIONS.names)].reset_index(drop=True)

    def protocols(self) -> dict[str, str]:
        """The stored protocols as JSON, by their ids, the oldest first."""
        found = _newest(self._read("protocols"), ["protocol"])
        return dict(zip(found["protocol"], found["config"], strict=True))

    def rows(self, table: str, chosen: pd.DataFrame) -> pd.DataFrame:
        """A table's rows that belong to some rows of `cells`, or of `evaluations`.

        Only the parts of their stacks are read.
        """
        keys = ["cell", "stack"]
        if table not in OF_TRAINING:
            keys.append("protocol")
        wanted = chosen[keys].drop_duplicates()
        return self._read(table, set(wanted["stack"])).merge(wanted, on=keys)

    def path(self, table: str, part: str) -> Path:
        """The file of a part."""
        return self.folder / table / f"part-{part}.parquet"

    def _read(self, table: str, parts: set[str] | None = None) -> pd.DataFrame:
        schema = TABLES[table]
        found = sorted((self.folder / table).glob("part-*.parquet"))
        read = [
            _read_part(path, schema)
            for path in found
            if parts is None or path.stem.removeprefix("part-") in parts
        ]
        return pa.concat_tables([schema.empty_table(), *read]).to_pandas()


def done(finished: pd.DataFrame) -> set[str]:
    """The cells that some rows of `cells` or `evaluations` say are done."""
    return set(finished["cell"][finished["status"] == "done"])


def failed(finished: pd.DataFrame) -> dict[str, str]:
    """The cells that some rows of `cells` or `evaluations` say have failed, and why."""
    lost = finished[finished["status"] == "failed"]
    return dict(zip(lost["cell"], lost["reason"], strict=True))


def _newest(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    order = ["created", "stack"] if "stack" in rows else ["created"]
    return rows.sort_values(order).drop_duplicates(keys, keep="last", ignore_index=True)


def _read_part(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        part = pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise ResultError(
            f"{path}: expected a readable Parquet file, got {error}; delete it and "
            "run again"
        ) from error
    found = (part.schema.metadata or {}).get(b"cftrain_format", b"none").decode()
    if found != FORMAT or not part.schema.equals(schema):
        raise ResultError(
            f"{path}: expected results of format {FORMAT}, got format {found} with "
            f"columns {', '.join(part.schema.names)}; {ANEW}"
        )
    return part


def _null_for_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
