"""A table with a block for each dataset and a line for each measure in it."""

from dataclasses import dataclass
from typing import final

import pandas as pd

from cftrain.summary.naming import dataset_name
from cftrain.summary.reading.reader import Evidence
from cftrain.summary.tables.layout import Column, Layout
from cftrain.summary.tables.table import Row, Table


@final
@dataclass(frozen=True, kw_only=True)
class ByMeasure(Layout):
    """Each of the metrics, with its title; attacks have a line for each of the
    `strengths` that was evaluated, or for every one if none is given.
    """

    name: str
    title: str
    caption: str
    metrics: dict[str, str]
    strengths: tuple[float, ...]
    columns: tuple[Column, ...]

    def table(self, evidence: Evidence) -> Table:
        datasets = evidence.datasets(column.trained for column in self.columns)
        return Table(
            name=self.name,
            title=self.title,
            caption=self.caption,
            labels=("data", "measure"),
            heads=tuple(column.head for column in self.columns),
            rows=tuple(
                self._row(evidence, dataset, metric, epsilon)
                for dataset in datasets
                for metric in self.metrics
                for epsilon in self._strengths(evidence, dataset, metric)
            ),
        )

    def _row(
        self, evidence: Evidence, dataset: str, metric: str, epsilon: float | None
    ) -> Row:
        at = "" if epsilon is None else f" {epsilon:.3g}"
        return Row(
            labels=(dataset_name(dataset), f"{self.metrics[metric]}{at}"),
            names=(dataset, f"{metric}{at}"),
            entries=tuple(
                column.entry(evidence, dataset, metric=metric, epsilon=epsilon)
                for column in self.columns
            ),
        )

    def _strengths(
        self, evidence: Evidence, dataset: str, metric: str
    ) -> list[float | None]:
        """Those of an attack; None for a metric without, nothing if it is not there."""
        found: set[float | None] = set()
        for column in self.columns:
            for trials in evidence.trials(column.trained, dataset):
                rows = evidence.rows("metrics", trials[0].model)
                for epsilon in rows["epsilon"][rows["metric"] == metric]:
                    found.add(None if pd.isna(epsilon) else float(epsilon))
        if self.strengths:
            found &= {None, *self.strengths}
        return sorted(found, key=lambda epsilon: -1 if epsilon is None else epsilon)
