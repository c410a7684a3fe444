"""Stored results as tidy tables: a row for each fact, with all that was varied."""

import json
from collections.abc import Collection as Several
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from cftrain.errors import ResultError
from cftrain.results.leaves import hyperparameters
from cftrain.summary.reading.collection import Collection, collect

ABOUT = ("data", "model", "generator", "objective", "seed")
"""Columns of the table of cells that every other table gets."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """Finished cells of one or many folders, and what was measured on them.

    Every table is a pandas DataFrame that is read when it is first asked for. Its
    columns are those of docs/results.md, and of every cell `data`, `model`,
    `generator`, `objective`, `seed` and the keys in `varied`: those that do not have
    the same value in all cells, such as "objective.ridge_weight". Cells and evaluations
    that failed are in `cells` and `evaluations` only, with the reason.
    """

    cells: pd.DataFrame
    evaluations: pd.DataFrame
    varied: tuple[str, ...]
    _collection: Collection

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Returns what was measured: a row for each evaluation, metric, energy weight
        and round; `value` is in `unit`, a mean over `rows` rows.
        """
        return self._measured("metrics")

    @cached_property
    def history(self) -> pd.DataFrame:
        """Returns how trainings went: a row for each cell and epoch, counted from 1;
        losses have no unit, accuracies are shares, `seconds` those of the stack.
        """
        done = self._collection.done
        return self._about(self._collection.of_training("history", done.index))

    @cached_property
    def individuals(self) -> pd.DataFrame:
        """Returns the counterfactuals one by one, for metrics that are about one."""
        return self._measured("individuals")

    @cached_property
    def transfer(self) -> pd.DataFrame:
        """Returns what `cftrain transfer` found; empty if it was not asked."""
        return self._measured("transfer")

    @cached_property
    def attributions(self) -> pd.DataFrame:
        """Returns mean integrated gradients of each class, if any were asked for."""
        return self._measured("attributions")

    @cached_property
    def gallery(self) -> pd.DataFrame:
        """Returns counterfactuals to look at, if any were asked for."""
        return self._measured("gallery")

    def _measured(self, table: str) -> pd.DataFrame:
        found = self._collection.measured.reset_index("protocol")
        return self._about(self._collection.of_evaluation(table, found))

    def _about(self, rows: pd.DataFrame) -> pd.DataFrame:
        about = self.cells.set_index("cell")[[*ABOUT, *self.varied]]
        return rows.drop(columns="stack").join(about, on="cell")


def read_results(folder: str | Path) -> Results:
    """Returns the results in a folder and in all folders below it.

    Of what is there several times, the newest counts that is done. Raises ResultError
    if there are none, or if some are damaged.

    >>> import cftrain
    >>> for epochs in (1, 2):
    ...     words = [f"schedule.epochs={epochs}", "evaluation=quick"]
    ...     run = cftrain.train([*words, "compare=none"], folder=f"moons/{epochs}")
    >>> results = cftrain.read_results("moons")
    >>> results.varied
    ('schedule.epochs',)
    >>> ip = results.metrics.query("metric == 'ip'")
    >>> ip.groupby("schedule.epochs")["rows"].sum().index.to_list()
    [1, 2]
    """
    path = Path(folder)
    if not path.is_dir():
        raise ResultError(f"{path}: expected a folder with results, got none")
    return of_collection(collect(path))


def of_collection(collection: Collection) -> Results:
    """Returns the tables of collected results."""
    cells = collection.cells.reset_index()
    settings = hyperparameters(cells)
    new = [name for name in settings if name not in cells]
    varied = tuple(name for name in new if _differs(settings[name]))
    return Results(
        cells=cells.join(settings[list(varied)]).drop(columns=["stack", "config"]),
        evaluations=collection.evaluations.reset_index().drop(columns="stack"),
        varied=varied,
        _collection=collection,
    )


def of_cells(collection: Collection, cells: Several[str], protocol: str) -> Collection:
    """Returns some cells of collected results, as one protocol has measured them."""
    every = collection.evaluations
    chosen = every.index.isin([(cell, protocol) for cell in cells])
    return Collection(
        cells=collection.cells.loc[list(cells)],
        evaluations=every[chosen],
        pairs=collection.pairs,
    )


def _differs(values: pd.Series) -> bool:
    """Whether a setting has several values; lists are compared as such."""
    found: set[Any] = {json.dumps(value) for value in values}
    return len(found) > 1
