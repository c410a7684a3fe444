"""What a table of results is, as configured: columns and how rows are laid out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial

from cftrain.summary.reading.reader import Evidence, Selection
from cftrain.summary.tables.lineage import lineage
from cftrain.summary.tables.quantity import Quantity, Sample, Unanswered
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
        evidence: Evidence,
        dataset: str,
        *,
        metric: str | None = None,
        epsilon: float | None = None,
    ) -> Entry:
        """The entry of a dataset; where there is no number, why. Raises ResultError."""
        settings = evidence.trials(self.trained, dataset)
        if not settings:
            return EMPTY
        if len(settings) > 1:
            note = "models trained with several settings: expected one of each dataset"
            return Entry(text=f"{len(settings)} settings", note=note)
        sample = Sample(
            evidence=evidence,
            trials=tuple(settings[0]),
            metric=metric or self.metric,
            epsilon=epsilon,
        )
        try:
            entry = self.shows.entry(sample)
        except Unanswered as gap:
            entry = Entry(text=gap.mark, note=gap.note)
        # Looked up only for a number that is to be explained: it takes its time.
        return replace(entry, lineage=partial(lineage, sample, self.shows.table))


class Layout(ABC):
    """A table as configured; concrete ones are frozen."""

    name: str

    @abstractmethod
    def table(self, evidence: Evidence) -> Table:
        """The table of some results; without rows if it has none. Raises ResultError
        if what it would show cannot be compared.
        """
