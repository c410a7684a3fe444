"""Which cells are held against which: points of grids, and models trained alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cftrain.results.budget.table import given_up, load_budgets
from cftrain.results.points import FILE, load_points

SINGLE = "train"
"""Stands for a grid's name where cells were trained without one."""

DESCRIBED = ["data", "seed", "objective", "protected"]


def pairs_of(folders: Sequence[Path], cells: pd.DataFrame) -> pd.DataFrame:
    """Returns a row for every pair whose model is finished, each pair once.

    Its columns are the grid, the coordinates of the point as a mapping, the ids of the
    model's and of its baseline's cell (None if there is none), and what the model was
    trained on. Models that no grid has are held against the vanilla cell that differs
    in its objective only, unless a budget has tried them and not kept. `cells` are
    indexed by cell.
    """
    points = [row for folder in folders for row in _points(folder)]
    listed = {row["model"] for row in points} | {row["baseline"] for row in points}
    for folder in folders:
        listed |= given_up(load_budgets(folder))
    alone = cells[(cells["objective"] != "vanilla") & ~cells.index.isin(listed)]
    found = {
        _identity(row): row
        for row in [*points, *_twins(alone, cells)]
        if row["model"] in cells.index
    }
    pairs = pd.DataFrame(
        found.values(), columns=["grid", "coordinates", "model", "baseline"]
    ).astype({"model": "object", "baseline": "object"})
    known = pairs["baseline"].isin(cells.index)
    pairs["baseline"] = pairs["baseline"].where(known, None)
    return pairs.join(cells[DESCRIBED], on="model")


def _points(folder: Path) -> list[dict[str, Any]]:
    """The points of the grids in a folder, in their order."""
    if not (folder / FILE).is_file():
        return []
    points: dict[int, dict[str, Any]] = {}
    for row in load_points(folder).to_dict("records"):
        point = points.setdefault(
            row["point"],
            {"grid": row["grid"], "coordinates": row["coordinates"], "baseline": None},
        )
        point[row["role"]] = row["cell"]
    return list(points.values())


def _twins(models: pd.DataFrame, cells: pd.DataFrame) -> list[dict[str, Any]]:
    vanilla = cells[cells["objective"] == "vanilla"]
    baseline = dict(zip(vanilla["pair"], vanilla.index, strict=True))
    return [
        {
            "grid": SINGLE,
            "coordinates": {},
            "model": cell,
            "baseline": baseline.get(pair),
        }
        for cell, pair in models["pair"].items()
    ]


def _identity(pair: dict[str, Any]) -> tuple[str, ...]:
    """Equal for a pair and its copy in another folder."""
    coordinates = json.dumps(pair["coordinates"], sort_keys=True)
    return pair["grid"], coordinates, pair["model"], str(pair["baseline"])
