"""Whether counterfactuals hold under models of other training seeds."""

from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.summary.reading.selection import Trial
from cftrain.summary.tables.quantity import Quantity, from_to
from cftrain.summary.tables.sample import Sample, Side, Unanswered
from cftrain.summary.tables.table import Entry


@final
@dataclass(frozen=True, kw_only=True)
class Transferred(Quantity):
    """Baseline → model: share of valid counterfactuals that another seed's model also
    predicts as their targets; mean over other models and energy weights, then seeds.
    """

    table: ClassVar[str] = "transfer"

    def entry(self, sample: Sample) -> Entry:
        found = sample.answers(
            lambda trial: (
                self._share(sample, trial, "baseline"),
                self._share(sample, trial, "model"),
            )
        )
        return from_to(found, (sample.name("baseline"), sample.name("model")))

    def _share(self, sample: Sample, trial: Trial, side: Side) -> float:
        rows = sample.rows_of("transfer", trial, side)
        if rows.empty:
            raise Unanswered("–")
        values = rows["value"].dropna()
        if values.empty:
            raise Unanswered("no valid", "no valid counterfactual to hand on")
        return float(values.mean())
