"""The points of grids and the cells that serve them, as one small table."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from cftrain.errors import ResultError
from cftrain.results.described import described
from cftrain.results.identifiers import check_columns
from cftrain.results.parts.parquet import Unreadable, read_parquet, write_parquet
from cftrain.results.schema import FORMAT

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
    write_parquet(path, table)


def load_points(folder: Path) -> pd.DataFrame:
    """The table; each point's coordinates are a mapping. Raises ResultError."""
    path = folder / FILE
    if not path.is_file():
        raise ResultError(f"{folder}: expected the results of a grid, got no {FILE}")
    table = _read(path).to_pandas()
    where = f"{path}: column coordinates"
    table["coordinates"] = [described(text, where) for text in table["coordinates"]]
    models = set(table.loc[table["role"] == "model", "point"])
    if lacking := sorted(set(table["point"]) - models):
        raise ResultError(
            f"{path}: expected a model in each point of the grid, got none in point "
            f"{lacking[0]}"
        )
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
        table = read_parquet(path, POINTS)
    except Unreadable as error:
        raise Unreadable(
            f"{path}: expected a readable table, got a damaged one; the next cftrain "
            "grid in this folder sets it aside and writes the points of its grid again"
        ) from error
    check_columns(path, table)
    return table
