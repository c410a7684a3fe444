"""All results below a folder, and which cells are held against which."""

from collections.abc import Collection as Several
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cftrain.errors import ResultError
from cftrain.results.points import FILE, load_points
from cftrain.results.store import Store

SINGLE = "train"
"""Stands for a grid's name where cells were trained without one."""

PAIRS = (
    "folder",
    "grid",
    "point",
    "coordinates",
    "model",
    "baseline",
    "data",
    "seed",
    "objective",
    "protected",
)
DESCRIBED = ("data", "seed", "objective", "protected")


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Finished cells of one or many folders.

    `cells` is the table of cells, indexed by cell, with a column `folder`. `pairs` has
    a row for every point of a grid, or for every trained model: the ids of the model's
    and of its baseline's cell (None if there is none), what they were trained on and
    the point's coordinates as a mapping.
    """

    cells: pd.DataFrame
    pairs: pd.DataFrame

    def read(self, table: str, cells: Several[str]) -> pd.DataFrame:
        """A table's rows of some cells. Raises ResultError."""
        wanted = self.cells.loc[self.cells.index.isin(set(cells))]
        parts = [
            Store(Path(folder)).rows(table, group.reset_index())
            for folder, group in wanted.groupby("folder")
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def collect(root: Path) -> Collection:
    """The results in `root` itself and in all folders below it; of a cell that is in
    several folders, the newest. Raises ResultError if there are none.
    """
    folders = sorted({path.parent for path in root.rglob("cells") if path.is_dir()})
    cells, pairs = [], []
    for folder in folders:
        finished = Store(folder).read("cells")
        cells.append(finished.assign(folder=str(folder)))
        pairs.append(_pairs(folder, finished))
    if not sum(map(len, cells)):
        raise ResultError(
            f"{root}: expected results of cftrain train or cftrain grid, got none; "
            "train something first, or name another folder"
        )
    every = pd.concat(cells, ignore_index=True).sort_values("created")
    return Collection(
        cells=every.drop_duplicates("cell", keep="last").set_index("cell"),
        pairs=pd.concat(pairs, ignore_index=True),
    )


def _pairs(folder: Path, cells: pd.DataFrame) -> pd.DataFrame:
    """Pairs whose model is finished."""
    of_grid = (folder / FILE).is_file()
    found = _of_points(folder) if of_grid else _of_twins(cells)
    found = found.assign(folder=str(folder))
    described = cells.set_index("cell")[list(DESCRIBED)]
    found = found[found["model"].isin(described.index)]
    found["baseline"] = found["baseline"].where(
        found["baseline"].isin(described.index), None
    )
    return found.join(described, on="model")[list(PAIRS)]


def _of_points(folder: Path) -> pd.DataFrame:
    points = load_points(folder)
    axes = [c for c in points.columns if c not in ("grid", "point", "role", "cell")]
    rows = []
    for number, group in points.groupby("point"):
        by_role = group.set_index("role")
        first: dict[str, Any] = group.iloc[0].to_dict()
        rows.append(
            {
                "grid": first["grid"],
                "point": number,
                "coordinates": {axis: first[axis] for axis in axes},
                "model": by_role.loc["model", "cell"],
                "baseline": by_role["cell"].get("baseline"),
            }
        )
    return pd.DataFrame(rows)


def _of_twins(cells: pd.DataFrame) -> pd.DataFrame:
    """A model's baseline is the vanilla cell that differs in its objective only."""
    vanilla = cells[cells["objective"] == "vanilla"]
    baseline = dict(zip(vanilla["pair"], vanilla["cell"], strict=True))
    models = cells[cells["objective"] != "vanilla"]
    return pd.DataFrame(
        {
            "grid": SINGLE,
            "point": range(len(models)),
            "coordinates": [{} for _ in range(len(models))],
            "model": models["cell"].to_list(),
            "baseline": [baseline.get(pair) for pair in models["pair"]],
        }
    )
