"""Which trained models stand in a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A trained model and its baseline, of one training seed, and the protocol by which
    they are compared (None if they were not evaluated).
    """

    seed: int
    grid: str
    model: str
    baseline: str | None
    protocol: str | None


@dataclass(frozen=True, kw_only=True)
class Trials:
    """The models of a dataset, as groups of replicates, each ordered by seed.

    `note` says what is left out, None if nothing is; `alike` says whether what stands
    beside them was evaluated by the same protocol.
    """

    groups: tuple[tuple[Trial, ...], ...]
    note: str | None
    alike: bool


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point of a grid, by the values of the grid's axes, and its models."""

    coordinates: Mapping[str, Any]
    trial: Trial


@dataclass(frozen=True, kw_only=True)
class Points:
    """Points whose model and baseline are trained and evaluated; `note` says what is
    left out, None if nothing is.
    """

    points: tuple[Point, ...]
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which trained models are shown: those of the first of `grids` that has any.

    Replicates differ in the hyperparameters that `varies` names by their keys, in
    nothing else; an interval over them tells how much these matter.
    """

    grids: tuple[str, ...]
    objective: str
    protected: bool
    varies: tuple[str, ...]

    def of(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """Returns the pairs of these models, whatever the grid and dataset."""
        return pairs[
            pairs["grid"].isin(self.grids)
            & (pairs["objective"] == self.objective)
            & ((pairs["protected"].fillna(0) > 0) == self.protected)
        ]

    def of_dataset(self, pairs: pd.DataFrame, dataset: str) -> pd.DataFrame:
        """Returns the dataset's pairs of the first grid that has any."""
        pairs = self.of(pairs)
        pairs = pairs[pairs["data"] == dataset]
        grids = [grid for grid in self.grids if (pairs["grid"] == grid).any()]
        chosen = pairs[pairs["grid"] == grids[0]] if grids else pairs
        return chosen.drop_duplicates(["model", "baseline"])
