"""A table with a block for each dataset and a line for each measure in it."""

from dataclasses import dataclass
from typing import final

import pandas as pd

from cftrain.summary.measures import measure_title
from cftrain.summary.naming import dataset_name
from cftrain.summary.reading.reader import Reader
from cftrain.summary.tables.layout import Column, Layout
from cftrain.summary.tables.table import Row, Table


@final
@dataclass(frozen=True, kw_only=True)
class ByMeasure(Layout):
    """Each of the metrics by its title; attacks have a line for each of the
    `strengths` that was evaluated, or for every one if none is given.
    """

    name: str
    title: str
    caption: str
    metrics: tuple[str, ...]
    strengths: tuple[float, ...]
    columns: tuple[Column, ...]

    def table(self, reader: Reader) -> Table:
        datasets = reader.datasets(column.trained for column in self.columns)
        return Table(
            name=self.name,
            title=self.title,
            caption=self.caption,
            labels=("data", "measure"),
            heads=tuple(column.head for column in self.columns),
            rows=tuple(
                self._row(reader, dataset, metric, epsilon)
                for dataset in datasets
                for metric in self.metrics
                for epsilon in self._strengths(reader, dataset, metric)
            ),
        )

    def _row(
        self, reader: Reader, dataset: str, metric: str, epsilon: float | None
    ) -> Row:
        at = "" if epsilon is None else f" {epsilon:.3g}"
        return Row(
            labels=(dataset_name(dataset), f"{measure_title(metric)}{at}"),
            names=(dataset, f"{metric}{at}"),
            entries=tuple(
                column.entry(
                    reader,
                    dataset,
                    beside=[column.trained for column in self.columns],
                    metric=metric,
                    epsilon=epsilon,
                )
                for column in self.columns
            ),
        )

    def _strengths(
        self, reader: Reader, dataset: str, metric: str
    ) -> list[float | None]:
        """The strengths of an attack that were evaluated: None alone for a metric that
        is no attack, nothing for one that is not there.
        """
        found: set[float | None] = set()
        for column in self.columns:
            beside = [each.trained for each in self.columns]
            for trials in reader.trials(column.trained, dataset, beside).groups:
                first = trials[0]
                rows = reader.rows("metrics", first.model, first.protocol)
                for epsilon in rows["epsilon"][rows["metric"] == metric]:
                    found.add(None if pd.isna(epsilon) else float(epsilon))
        if self.strengths:
            found &= {None, *self.strengths}
        return sorted(found, key=lambda epsilon: -1 if epsilon is None else epsilon)
