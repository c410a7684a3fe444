"""The points of grids and the cells that serve them, as one small table."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cftrain.errors import ResultError
from cftrain.results.schema import FORMAT
from cftrain.results.store import ANEW
from cftrain.results.writing import written_whole

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
    ],
    metadata={"cftrain_format": FORMAT},
)


def add_points(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Add points to those of earlier grids in the folder, the same ones once.

    Points that differ in nothing but their number are the same. Raises ResultError.
    """
    path = folder / FILE
    new = [
        {**row, "coordinates": json.dumps(row["coordinates"], sort_keys=False)}
        for row in rows
    ]
    old = _read(path).to_pylist() if path.is_file() else []
    table = pa.Table.from_pylist(_united(old, new), schema=POINTS)
    with written_whole(path) as partial:
        pq.write_table(table, partial)


def load_points(folder: Path) -> pd.DataFrame:
    """The table; each point's coordinates are a mapping. Raises ResultError."""
    path = folder / FILE
    if not path.is_file():
        raise ResultError(f"{folder}: expected the results of a grid, got no {FILE}")
    table = _read(path).to_pandas()
    table["coordinates"] = [json.loads(text) for text in table["coordinates"]]
    return table


def _united(*tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Points of all tables in their order, numbered anew."""
    points: dict[Any, list[dict[str, Any]]] = {}
    for table in tables:
        by_number: dict[int, list[dict[str, Any]]] = {}
        for row in table:
            by_number.setdefault(row["point"], []).append(row)
        for members in by_number.values():
            cells = sorted((row["role"], row["cell"]) for row in members)
            key = (members[0]["grid"], members[0]["coordinates"], tuple(cells))
            points.setdefault(key, members)
    return [
        {**row, "point": number}
        for number, members in enumerate(points.values())
        for row in members
    ]


def _read(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise ResultError(f"{path}: expected a readable table, got {error}") from error
    found = (table.schema.metadata or {}).get(b"cftrain_format", b"2").decode()
    if found != FORMAT or not table.schema.equals(POINTS):
        raise ResultError(
            f"{path}: expected points of format {FORMAT}, got format {found}; {ANEW}"
        )
    return table
