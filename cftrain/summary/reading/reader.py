"""What tables are made of: trained models of a dataset, and the rows behind them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, final

import pandas as pd

from cftrain.errors import ResultError
from cftrain.results.schema import TABLES
from cftrain.results.settings import setting
from cftrain.summary.naming import ordered_datasets
from cftrain.summary.reading.collection import Collection

PARTS = 48
"""Part files kept in memory."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A trained model and its baseline, of one training seed."""

    seed: int
    grid: str
    model: str
    baseline: str | None


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which trained models are shown: those of the first of `grids` that has any."""

    grids: tuple[str, ...]
    objective: str
    protected: bool

    def of(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """The pairs of these models, whatever the grid and dataset."""
        return pairs[
            pairs["grid"].isin(self.grids)
            & (pairs["objective"] == self.objective)
            & ((pairs["protected"].fillna(0) > 0) == self.protected)
        ]


@final
class Evidence:
    """Collected results, read part by part when they are asked for.

    Tables of published results are in the folder `published`.
    """

    def __init__(self, collection: Collection, published: Path) -> None:
        self.collection = collection
        self.published = published
        self._part = lru_cache(PARTS)(self._read)

    def datasets(self, selections: Iterable[Selection]) -> list[str]:
        """Those with any selected model, in the paper's order."""
        pairs = self.collection.pairs
        return ordered_datasets(
            name for each in selections for name in each.of(pairs)["data"]
        )

    def trials(self, selection: Selection, dataset: str) -> list[list[Trial]]:
        """The dataset's models by setting, each setting's by seed.

        Raises ResultError if they were not all evaluated by one protocol.
        """
        pairs = selection.of(self.collection.pairs)
        pairs = pairs[pairs["data"] == dataset]
        grids = [grid for grid in selection.grids if (pairs["grid"] == grid).any()]
        if not grids:
            return []
        pairs = pairs[pairs["grid"] == grids[0]].drop_duplicates(["model", "baseline"])
        self._check_protocols(dataset, pairs)
        settings: dict[str, list[Trial]] = {}
        for pair in pairs.sort_values(["seed", "point"]).to_dict("records"):
            trial = Trial(
                seed=int(pair["seed"]),
                grid=str(pair["grid"]),
                model=str(pair["model"]),
                baseline=_known(pair["baseline"]),
            )
            settings.setdefault(setting(self.cell(trial.model)), []).append(trial)
        return list(settings.values())

    def rows(self, table: str, cell: str) -> pd.DataFrame:
        """A table's rows of one cell. Raises ResultError."""
        where = self.cell(cell)
        part = self._part(table, str(where["folder"]), str(where["stack"]))
        return part.get(cell, pd.DataFrame(columns=TABLES[table].names))

    def cell(self, cell: str) -> pd.Series:
        """The row of a cell in the table of cells."""
        return self.collection.cells.loc[cell]

    def file(self, table: str, cell: str) -> Path:
        """The Parquet file that holds a table's rows of a cell."""
        where = self.cell(cell)
        return Path(where["folder"]) / table / f"part-{where['stack']}.parquet"

    def _read(self, table: str, folder: str, stack: str) -> dict[str, pd.DataFrame]:
        cells = self.collection.cells
        own = cells.index[(cells["folder"] == folder) & (cells["stack"] == stack)]
        rows = self.collection.read(table, list(own))
        return {str(cell): group for cell, group in rows.groupby("cell")}

    def _check_protocols(self, dataset: str, pairs: pd.DataFrame) -> None:
        cells = {*pairs["model"], *pairs["baseline"].dropna()}
        chosen = self.collection.cells.loc[sorted(cells)]
        if chosen["protocol"].nunique(dropna=False) < 2:
            return
        listed = ", ".join(
            f"{protocol} in {' and '.join(sorted(set(group['folder'])))}"
            for protocol, group in chosen.groupby("protocol", dropna=False)
        )
        raise ResultError(
            f"{dataset}: expected models evaluated by one protocol, got {listed}; "
            "evaluate them alike, or name one folder"
        )


def _known(cell: Any) -> str | None:
    return None if pd.isna(cell) else str(cell)
