"""The points of a grid and the cells that serve them, as one small table."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cftrain.errors import ResultError
from cftrain.results.writing import replacing

FILE = "points.parquet"

POINTS = pa.schema(
    [
        # Name of the grid.
        pa.field("grid", pa.string(), False),
        # Number of the point, and its axes' values as JSON.
        pa.field("point", pa.int64(), False),
        pa.field("coordinates", pa.string(), False),
        # "model", or "baseline" for the twin it is compared with.
        pa.field("role", pa.string(), False),
        pa.field("cell", pa.string(), False),
    ]
)


def save_points(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write the table whole. Raises ResultError."""
    path = folder / FILE
    listed = [
        {**row, "coordinates": json.dumps(row["coordinates"], sort_keys=False)}
        for row in rows
    ]
    try:
        with replacing(path) as partial:
            pq.write_table(pa.Table.from_pylist(listed, schema=POINTS), partial)
    except OSError as error:
        raise ResultError(f"{path}: could not be written: {error}") from error


def load_points(folder: Path) -> pd.DataFrame:
    """The table, with a column for each axis. Raises ResultError."""
    path = folder / FILE
    if not path.is_file():
        raise ResultError(f"{folder}: expected the results of a grid, got no {FILE}")
    try:
        table = pq.read_table(path, schema=POINTS).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise ResultError(f"{path}: expected a readable table, got {error}") from error
    axes = pd.DataFrame([json.loads(text) for text in table["coordinates"]])
    return pd.concat([table.drop(columns="coordinates"), axes], axis=1)
