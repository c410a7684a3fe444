"""Cells that are the same but for their seeds: what a mean over seeds may hold."""

from dataclasses import dataclass

import pandas as pd

from cftrain.results.settings import setting
from cftrain.summary.reading.collection import SINGLE, Collection


@dataclass(frozen=True, kw_only=True)
class Replicas:
    """Finished cells of a grid that has one setting for a dataset and an objective.

    `cells` is indexed by cell and has the columns data, objective and seed; those with
    protected features are never among those without.
    """

    grid: str
    protected: bool
    cells: pd.DataFrame

    @property
    def name(self) -> str:
        """For file names."""
        return f"{self.grid}-protected" if self.protected else self.grid

    @property
    def title(self) -> str:
        """For people."""
        grid = "single runs" if self.grid == SINGLE else self.grid
        return f"{grid}, protected features" if self.protected else grid

    def of_first_seed(self) -> pd.DataFrame:
        """Cells of each dataset's least seed."""
        least = self.cells.groupby("data")["seed"].transform("min")
        return self.cells[self.cells["seed"] == least]


def replicas(collection: Collection) -> list[Replicas]:
    """The replicas of every grid. Datasets on which an objective has several settings,
    as in grids of hyperparameters, are left out: a mean over them says nothing.
    """
    found = []
    cells = _cells(collection)
    for (grid, protected), group in cells.groupby(["grid", "protected"], sort=False):
        settings = group.groupby(["data", "objective"])["setting"].nunique()
        mixed = settings[settings > 1].index.get_level_values("data")
        kept = group[~group["data"].isin(mixed)].set_index("cell")
        if len(kept):
            found.append(
                Replicas(
                    grid=str(grid),
                    protected=bool(protected),
                    cells=kept[["data", "objective", "seed"]],
                )
            )
    return found


def _cells(collection: Collection) -> pd.DataFrame:
    """Each cell once for each grid that it serves, as a model or as a baseline."""
    pairs = collection.pairs
    listed = pd.concat(
        [
            pairs[["grid", role]].rename(columns={role: "cell"})
            for role in ("model", "baseline")
        ]
    ).dropna()
    cells = collection.cells[collection.cells["status"] == "done"]
    described = cells[["data", "objective", "seed"]].assign(
        protected=cells["protected"].fillna(0) > 0,
        setting=[f"{setting(row)} {row['protocol']}" for _, row in cells.iterrows()],
    )
    return listed.drop_duplicates().join(described, on="cell", how="inner")
