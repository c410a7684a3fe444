"""A table with a line for each dataset."""

from dataclasses import dataclass
from typing import Literal, final

from cftrain.summary.naming import dataset_name
from cftrain.summary.reading.reader import Reader
from cftrain.summary.reading.selection import Selection
from cftrain.summary.tables.layout import Column, Layout
from cftrain.summary.tables.table import EMPTY, Entry, Row, Table, decimals_for


@final
@dataclass(frozen=True, kw_only=True)
class ByDataset(Layout):
    """The datasets in the paper's order, and with `average` their plain mean.

    A line for each dataset of which any, or all, columns have models.
    """

    name: str
    title: str
    caption: str
    datasets: Literal["any", "all"]
    average: bool
    columns: tuple[Column, ...]

    def table(self, reader: Reader) -> Table:
        rows = [
            Row(
                labels=(dataset_name(dataset),),
                names=(dataset,),
                entries=tuple(
                    column.entry(reader, dataset, beside=self._selections)
                    for column in self.columns
                ),
            )
            for dataset in self._datasets(reader)
        ]
        if self.average and len(rows) > 1:
            rows.append(_average(rows))
        return Table(
            name=self.name,
            title=self.title,
            caption=self.caption,
            labels=("data",),
            heads=tuple(column.head for column in self.columns),
            rows=tuple(rows),
        )

    @property
    def _selections(self) -> list[Selection]:
        return list(dict.fromkeys(column.trained for column in self.columns))

    def _datasets(self, reader: Reader) -> list[str]:
        shown = [set(reader.datasets([each])) for each in self._selections]
        return [
            dataset
            for dataset in reader.datasets(self._selections)
            if self.datasets == "any" or all(dataset in each for each in shown)
        ]


def _average(rows: list[Row]) -> Row:
    columns = zip(*(row.entries for row in rows), strict=True)
    return Row(
        labels=("Avg.",),
        names=("average",),
        entries=tuple(_mean(column) for column in columns),
        summary=True,
    )


def _mean(entries: tuple[Entry, ...]) -> Entry:
    """Plain mean over the datasets that have a number."""
    present = [entry for entry in entries if entry.value is not None]
    if not present:
        return EMPTY
    values = [entry.value for entry in present if entry.value is not None]
    befores = [entry.before for entry in present if entry.before is not None]
    value = sum(values) / len(values)
    before = sum(befores) / len(befores) if befores else None
    few = f"mean over the {len(values)} of {len(entries)} datasets that have a value"
    return Entry(
        value=value,
        before=before,
        decimals=min(
            max(entry.decimals for entry in present), decimals_for(value, before)
        ),
        note=few if len(values) < len(entries) else None,
        trace=("plain mean of " + ", ".join(f"{value:.6g}" for value in values),),
    )
