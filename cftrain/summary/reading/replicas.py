"""Cells that are the same but for their seeds: what a mean over seeds may hold."""

from dataclasses import dataclass

import pandas as pd

from cftrain.results.replicates import replicate_key
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.pairs import SINGLE
from cftrain.summary.reading.protocols import choose


@dataclass(frozen=True, kw_only=True)
class Replicas:
    """Finished cells of a grid that are replicates for every dataset and objective.

    `cells` is indexed by cell and has the columns data, objective, seed and protocol,
    one for each dataset; those with protected features are never among those without.
    """

    grid: str
    protected: bool
    cells: pd.DataFrame

    @property
    def name(self) -> str:
        """The replicas' name in names of files."""
        return f"{self.grid}-protected" if self.protected else self.grid

    @property
    def title(self) -> str:
        """The replicas' name for people."""
        grid = "single runs" if self.grid == SINGLE else self.grid
        return f"{grid}, protected features" if self.protected else grid

    def of_first_seed(self) -> pd.DataFrame:
        """Returns the cells of each dataset's smallest seed."""
        least = self.cells.groupby("data")["seed"].transform("min")
        return self.cells[self.cells["seed"] == least]


def replicas(collection: Collection) -> list[Replicas]:
    """Returns the replicas of every grid.

    Datasets on which cells of one objective are no replicates, as in grids of
    hyperparameters, are left out: a mean over them says nothing.
    """
    found = []
    cells = _cells(collection)
    for (grid, protected), group in cells.groupby(["grid", "protected"], sort=False):
        keys = group.groupby(["data", "objective"])["key"].nunique()
        mixed = keys[keys > 1].index.get_level_values("data")
        kept = group[~group["data"].isin(mixed)].set_index("cell")
        kept = _of_one_protocol(collection, kept)
        if len(kept):
            found.append(
                Replicas(
                    grid=str(grid),
                    protected=bool(protected),
                    cells=kept[["data", "objective", "seed", "protocol"]],
                )
            )
    return found


def _cells(collection: Collection) -> pd.DataFrame:
    """Each finished cell once for each grid that it serves, as model or baseline."""
    pairs = collection.pairs
    listed = pd.concat(
        [
            pairs[["grid", role]].rename(columns={role: "cell"})
            for role in ("model", "baseline")
        ]
    ).dropna()
    cells = collection.done
    described = cells[["data", "objective", "seed"]].assign(
        protected=cells["protected"].fillna(0) > 0,
        key=[replicate_key(row) for _, row in cells.iterrows()],
    )
    return listed.drop_duplicates().join(described, on="cell", how="inner")


def _of_one_protocol(collection: Collection, cells: pd.DataFrame) -> pd.DataFrame:
    """The cells that were evaluated by the protocol of their dataset, with that one, or
    by none.
    """
    measured = collection.measured
    protocols = {
        data: choose(measured, [group.index], 0).protocol
        for data, group in cells.groupby("data")
    }
    cells = cells.assign(protocol=cells["data"].map(protocols))
    both = cells.set_index("protocol", append=True).index
    elsewhere = cells.index.isin(measured.index.get_level_values("cell"))
    return cells[both.isin(measured.index) | ~elsewhere]
