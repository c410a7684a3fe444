"""What a table of results is, as configured: columns and how rows are laid out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from cftrain.results.schema import OF_TRAINING
from cftrain.summary.reading.reader import Reader
from cftrain.summary.reading.selection import Selection
from cftrain.summary.tables.lineage import lineage
from cftrain.summary.tables.quantity import Quantity, joined
from cftrain.summary.tables.sample import Sample, Unanswered
from cftrain.summary.tables.table import EMPTY, Entry, Head, Table


@dataclass(frozen=True, kw_only=True)
class Column:
    """A quantity of one measure of the selected models.

    `metric` is None where the row gives the measure, or where none is needed.
    """

    key: str
    group: str
    title: str
    metric: str | None
    trained: Selection
    shows: Quantity

    @property
    def head(self) -> Head:
        return Head(key=self.key, group=self.group, title=self.title)

    def entry(
        self,
        reader: Reader,
        dataset: str,
        *,
        beside: Sequence[Selection] = (),
        metric: str | None = None,
        epsilon: float | None = None,
    ) -> Entry:
        """Returns the entry of a dataset, or, where there is no number, why.

        `beside` are the models that other columns show. Raises ResultError.
        """
        trials = reader.trials(self.trained, dataset, beside)
        if not trials.groups:
            return EMPTY
        if len(trials.groups) > 1:
            note = "models trained with several settings: expected one of each dataset"
            return Entry(text=f"{len(trials.groups)} settings", note=note)
        sample = Sample(
            reader=reader,
            trials=trials.groups[0],
            metric=metric or self.metric,
            epsilon=epsilon,
        )
        try:
            entry = self.shows.entry(sample)
        except Unanswered as gap:
            entry = Entry(text=gap.mark, note=gap.note)
        # Looked up only for a number that is to be explained: it takes its time.
        told = partial(lineage, sample, self.shows.table)
        if self.shows.table in OF_TRAINING:  # whoever measured it
            return replace(entry, lineage=told)
        if trials.alike:
            return replace(entry, lineage=told, remark=trials.note)
        return replace(entry, lineage=told, note=joined(entry.note, trials.note))


class Layout(ABC):
    """A table as configured; concrete ones are frozen."""

    name: str

    @abstractmethod
    def table(self, reader: Reader) -> Table:
        """Returns the table of some results, without rows if it has none. Raises
        ResultError if they cannot be read.
        """
