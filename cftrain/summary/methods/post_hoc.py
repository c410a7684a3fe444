"""A better search on a plain model, or a better model: generators by models."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pandas as pd

from cftrain.results.described import described
from cftrain.results.leaves import value_at
from cftrain.results.store import Store
from cftrain.summary.methods.measured import cells_of, means
from cftrain.summary.methods.tables import Shown, by_dataset, column_entries
from cftrain.summary.naming import (
    dataset_name,
    generator_name,
    objective_name,
    ordered_objectives,
)
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.reader import Reader
from cftrain.summary.tables.layout import Layout
from cftrain.summary.tables.table import Head, Row, Table

BY = ["data", "generator", "method"]


@final
@dataclass(frozen=True, kw_only=True)
class PostHoc(Layout):
    """A line for each generator with each model on each dataset: means over training
    seeds of what the model's evaluations by that generator have measured.

    Bold is, in each dataset, the best mean and whatever the seeds do not tell apart
    from it.
    """

    name: str
    title: str
    caption: str
    grids: tuple[str, ...]
    columns: tuple[Shown, ...]

    def table(self, reader: Reader) -> Table:
        return Table(
            name=self.name,
            title=self.title,
            caption=self.caption,
            labels=("data", "generator", "model"),
            heads=tuple(
                Head(key=column.key, group=column.group, title=column.title)
                for column in self.columns
            ),
            rows=by_dataset(lines_of(reader.collection, self.grids), self._rows),
        )

    def _rows(self, lines: pd.DataFrame) -> list[Row]:
        found = dict(iter(lines.groupby(BY, sort=False)))
        columns = [
            column_entries({key: c.values(own) for key, own in found.items()}, c)
            for c in self.columns
        ]
        return [
            Row(
                labels=(
                    dataset_name(data),
                    generator_name(generator),
                    objective_name(method),
                ),
                names=(data, generator, method),
                entries=tuple(column[data, generator, method] for column in columns),
            )
            for data, generator, method in found
        ]


def lines_of(collection: Collection, grids: tuple[str, ...]) -> pd.DataFrame:
    """Returns a line for each unprotected model and generator, with means over rounds
    and energy weights of all metrics: ordered by generator, then by model.
    """
    cells = cells_of(collection, grids)
    cells = cells[~cells["protected"]]
    there = collection.measured.reset_index("protocol")
    there = there[there.index.isin(cells.index)]
    tables = [
        cells.loc[own.index].join(means(collection, own)).assign(generator=generator)
        for generator, own in _by_generator(there)
    ]
    if not tables:
        return cells.iloc[:0]
    lines = pd.concat(tables)
    rank = lines["method"].map(ordered_objectives(lines["method"]).index)
    return lines.assign(rank=rank).sort_values(
        ["generator", "rank", "seed"], kind="stable"
    )


def _by_generator(there: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The evaluations of each generator, of each model the newest one by it."""
    names = {
        protocol: str(value_at(described(told, "a protocol"), "generator.name"))
        for folder in there["folder"].unique()
        for protocol, told in Store(Path(folder)).protocols().items()
    }
    named = there.assign(generator=there["protocol"].map(names))
    for generator, own in named.sort_values("created").groupby("generator"):
        newest = own[~own.index.duplicated(keep="last")]
        yield str(generator), newest.drop(columns="generator")
