"""What tables are made of: trained models of a dataset, and the rows behind them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, final

import pandas as pd

from cftrain.results.replicates import replicate_key
from cftrain.results.schema import OF_TRAINING, TABLES
from cftrain.results.store import Store
from cftrain.summary.naming import ordered_datasets
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.protocols import Choice, choose
from cftrain.summary.reading.selection import (
    Point,
    Points,
    Selection,
    Trial,
    Trials,
)
from cftrain.summary.statistics.rounds import Rounds, each_by_round

BLOCKS = 48
"""Stacks, or all narrow stacks of a dataset, whose rows are kept in memory."""

NARROW = 16
"""Stacks of fewer cells are read together, in tables of plain numbers."""

PLAIN = {"metrics", "history"}

Place = tuple[str, str | None, str | None]
"""A folder, and a stack or a dataset in it."""


@final
class Reader:
    """Collected results, read part by part when they are asked for.

    Tables of published results are in the folder `published`. `left_out` holds the
    protocols that had to make way for others in what was asked for so far.
    """

    def __init__(self, collection: Collection, published: Path) -> None:
        self.collection = collection
        self.published = published
        self.left_out: set[str] = set()
        self._measured = collection.measured
        self._done = set(self._measured.index)
        self._done_cells = {cell for cell, _ in self._done}
        self._cells = collection.cells.to_dict("index")
        self._evaluations = collection.evaluations.to_dict("index")
        self._block = lru_cache(BLOCKS)(self._read)
        self._part = lru_cache(BLOCKS)(self._by_cell)
        self._rounds = lru_cache(BLOCKS)(self._by_round)
        self._key = cache(self._replicate_key)
        self._found = cache(self._trials)

    def datasets(self, selections: Iterable[Selection]) -> list[str]:
        """Returns those with any selected model, in the paper's order."""
        pairs = self.collection.pairs
        return ordered_datasets(
            name for each in selections for name in each.of(pairs)["data"]
        )

    def trials(
        self, selection: Selection, dataset: str, beside: Sequence[Selection] = ()
    ) -> Trials:
        """Returns the dataset's models by their settings, evaluated by one protocol.

        That is also the one of the models that other columns show beside them, if all
        have one in common. Models that were evaluated by other protocols only are left
        out.
        """
        # Models with and without protected features are evaluated apart by design.
        alike = [each for each in beside if each.protected == selection.protected]
        return self._found(tuple(dict.fromkeys([selection, *alike])), dataset)

    def points(self, grid: str, dataset: str) -> Points:
        """Returns the points of a grid whose models are evaluated, by one protocol."""
        pairs = self.collection.pairs
        pairs = pairs[(pairs["grid"] == grid) & (pairs["data"] == dataset)]
        pairs = pairs[pairs["baseline"].notna() & (pairs["objective"] != "vanilla")]
        choice = self._choice([pairs])
        points = [
            Point(coordinates=pair["coordinates"], trial=_trial(pair, choice))
            for pair in pairs.to_dict("records")
            if (pair["model"], choice.protocol) in self._done
            and (pair["baseline"], choice.protocol) in self._done
        ]
        return Points(points=tuple(points), note=choice.note)

    def rows(
        self,
        table: str,
        cell: str,
        protocol: str | None = None,
        metric: str | None = None,
    ) -> pd.DataFrame:
        """Returns a table's rows of one cell; of a protocol, unless they are about its
        training. Raises ResultError.
        """
        where = self._where(table, cell, protocol)
        if where is not None:
            place = self._place(table, cell, where)
            found = self._part(table, place, protocol, metric).get(cell)
            if found is not None:
                return found
        return pd.DataFrame(columns=TABLES[table].names)

    def by_round(
        self,
        cell: str,
        protocol: str | None,
        metric: str | None,
        epsilon: float | None,
    ) -> Rounds | None:
        """Returns the means of a metric of one cell in each round, with those of one
        strength of an attack, if it has any rows. Raises ResultError.
        """
        where = self._where("metrics", cell, protocol)
        if where is None:
            return None
        place = self._place("metrics", cell, where)
        return self._rounds(place, protocol, metric, epsilon).get(cell)

    def cell(self, cell: str) -> Mapping[str, Any]:
        """Returns the row of a cell in the table of cells."""
        return self._cells[cell]

    def evaluation(self, cell: str, protocol: str | None) -> Mapping[str, Any] | None:
        """Returns the row of an evaluation, done or failed; None if there is none."""
        return self._evaluations.get((cell, protocol))

    def file(self, table: str, cell: str, protocol: str | None) -> Path | None:
        """Returns the Parquet file of a table's rows of a cell, None without any."""
        where = self._where(table, cell, protocol)
        if where is None:
            return None
        return Store(Path(where["folder"])).file(table, where["stack"])

    def _trials(self, shown: tuple[Selection, ...], dataset: str) -> Trials:
        """The models of the first of several selections side by side."""
        of_columns = [s.of_dataset(self.collection.pairs, dataset) for s in shown]
        choice = self._choice(of_columns)
        groups: dict[str, list[Trial]] = {}
        pairs = of_columns[0].sort_values("seed", kind="stable")
        for pair in pairs.to_dict("records"):
            trial = _trial(pair, choice)
            if self._comparable(trial):
                key = self._key(trial.model, shown[0].varies)
                groups.setdefault(key, []).append(trial)
        return Trials(
            groups=tuple(map(tuple, groups.values())),
            note=choice.note,
            alike=choice.alike,
        )

    def _where(
        self, table: str, cell: str, protocol: str | None
    ) -> Mapping[str, Any] | None:
        of_training = table in OF_TRAINING
        return self.cell(cell) if of_training else self.evaluation(cell, protocol)

    def _choice(self, shown: Sequence[pd.DataFrame]) -> Choice:
        """The protocol of the first of several tables of pairs."""
        cells = [{*pairs["model"], *pairs["baseline"].dropna()} for pairs in shown]
        choice = choose(self._measured, cells, 0)
        self.left_out |= set(choice.left_out)
        return choice

    def _comparable(self, trial: Trial) -> bool:
        """Whether the model has the protocol, or no other one either: a failure is to
        be shown, another evaluation is not.
        """
        evaluated = (trial.model, trial.protocol) in self._done
        return evaluated or trial.model not in self._done_cells

    def _place(self, table: str, cell: str, where: Mapping[str, Any]) -> Place:
        """The folder, and the stack or else the dataset whose rows are read at once."""
        alone = table not in PLAIN or where["stack_cells"] >= NARROW
        stack, data = where["stack"], self.cell(cell)["data"]
        return (where["folder"], stack if alone else None, None if alone else data)

    def _by_cell(
        self, table: str, place: Place, protocol: str | None, metric: str | None
    ) -> dict[str, pd.DataFrame]:
        found = self._block(table, place, protocol, metric)
        return {str(cell): group for cell, group in found.groupby("cell")}

    def _by_round(
        self,
        place: Place,
        protocol: str | None,
        metric: str | None,
        epsilon: float | None,
    ) -> dict[str, Rounds]:
        found = self._block("metrics", place, protocol, metric)
        if epsilon is not None:
            found = found[found["epsilon"] == epsilon]
        return each_by_round(found)

    def _read(
        self, table: str, place: Place, protocol: str | None, metric: str | None
    ) -> pd.DataFrame:
        """The rows of a stack, or of all narrow stacks of a dataset."""
        folder, stack, data = place
        cells = self.collection.cells
        if table in OF_TRAINING:
            rows = cells.reset_index()
        else:
            rows = self.collection.evaluations.reset_index()
            rows = rows[rows["protocol"] == protocol]
        own = rows[rows["folder"] == folder]
        if stack is not None:
            own = own[own["stack"] == stack]
        else:
            narrow = own["stack_cells"] < NARROW
            own = own[narrow & own["cell"].map(cells["data"]).eq(data)]
        found = Store(Path(folder)).rows(table, own)
        if metric is not None:
            found = found[found["metric"] == metric]
        return found

    def _replicate_key(self, cell: str, varies: tuple[str, ...]) -> str:
        return replicate_key(self.cell(cell), varies)


def _trial(pair: Mapping[Any, Any], choice: Choice) -> Trial:
    baseline = pair["baseline"]
    return Trial(
        seed=int(pair["seed"]),
        grid=str(pair["grid"]),
        model=str(pair["model"]),
        baseline=None if pd.isna(baseline) else str(baseline),
        protocol=choice.protocol,
    )
