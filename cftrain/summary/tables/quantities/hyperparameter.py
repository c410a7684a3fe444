"""What a model was trained with."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.results.checking import of_cell
from cftrain.results.leaves import value_at
from cftrain.summary.tables.quantity import Quantity
from cftrain.summary.tables.sample import Sample, Unanswered
from cftrain.summary.tables.table import Entry


@final
@dataclass(frozen=True, kw_only=True)
class Hyperparameter(Quantity):
    """A value of the run, named by its key in the configuration."""

    table: ClassVar[str] = "cells"

    key: str

    def entry(self, sample: Sample) -> Entry:
        cell = sample.reader.cell(sample.trials[0].model)
        value = value_at(of_cell(cell), self.key)
        if value is None:
            raise Unanswered("–")
        if isinstance(value, list):
            return Entry(text=", ".join(map(str, value)))
        if type(value) not in (int, float):
            return Entry(text=str(value))
        return Entry(value=float(value), text=f"{value:.10g}")
