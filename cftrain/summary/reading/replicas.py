"""Cells that are the same but for their seeds: what a mean over seeds may hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from cftrain.results.replicates import replicate_key
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.pairs import SINGLE
from cftrain.summary.reading.protocols import SHOWN, Choice, choose


@dataclass(frozen=True, kw_only=True)
class Replicas:
    """Finished cells of a grid that are replicates for every dataset and objective.

    `cells` is indexed by cell and has the columns data, objective, seed and protocol,
    one for each dataset; those with protected features are never among those without.
    `left_out` names the other protocols by which cells of a dataset were evaluated.
    """

    grid: str
    protected: bool
    cells: pd.DataFrame
    left_out: Mapping[str, tuple[str, ...]]

    @property
    def name(self) -> str:
        """The replicas' name in names of files."""
        return f"{self.grid}-protected" if self.protected else self.grid

    @property
    def title(self) -> str:
        """The replicas' name for people."""
        grid = "single runs" if self.grid == SINGLE else self.grid
        return f"{grid}, protected features" if self.protected else grid

    def note(self, datasets: Iterable[str]) -> str:
        """Returns a sentence for a caption about some datasets; empty if nothing of
        them is left out.
        """
        found = {other for data in datasets for other in self.left_out[data]}
        if not found:
            return ""
        ids = ", ".join(sorted(other[:SHOWN] for other in found))
        return f" Other evaluations, by protocol {ids}, are left out."

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
        choices = {
            str(data): choose(collection.measured, [own.index], 0)
            for data, own in kept.groupby("data")
        }
        kept = _of_one_protocol(collection, kept, choices)
        if len(kept):
            found.append(
                Replicas(
                    grid=str(grid),
                    protected=bool(protected),
                    cells=kept[["data", "objective", "seed", "protocol"]],
                    left_out={data: c.left_out for data, c in choices.items()},
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


def _of_one_protocol(
    collection: Collection, cells: pd.DataFrame, choices: Mapping[str, Choice]
) -> pd.DataFrame:
    """The cells that were evaluated by the protocol of their dataset, with that one, or
    by none.
    """
    measured = collection.measured
    protocols = {data: choice.protocol for data, choice in choices.items()}
    cells = cells.assign(protocol=cells["data"].map(protocols))
    both = cells.set_index("protocol", append=True).index
    elsewhere = cells.index.isin(measured.index.get_level_values("cell"))
    return cells[both.isin(measured.index) | ~elsewhere]
