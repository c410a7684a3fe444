"""How much of what can be gained at all a model gains."""

from dataclasses import dataclass, replace
from typing import final

import pandas as pd

from cftrain.summary.reading.selection import Trial
from cftrain.summary.statistics.floor import at_floor, gap_closed
from cftrain.summary.tables.quantity import IntervalName, Quantity, joined, over_seeds
from cftrain.summary.tables.sample import Answers, Sample, Unanswered
from cftrain.summary.tables.table import Entry

COLLAPSED = (
    "below the floor: closer to the target class than its own rows are, a collapse "
    "onto its middle rather than a success"
)


@final
@dataclass(frozen=True, kw_only=True)
class GapClosed(Quantity):
    """100 (baseline - model) / (baseline - floor), mean over training seeds.

    The metric `floor` holds what held-out rows of the target class score themselves,
    here the mean over both models. Nothing is left to gain at the floor; a model below
    it is marked.
    """

    floor: str
    interval: IntervalName

    def entry(self, sample: Sample) -> Entry:
        found = sample.answers(lambda trial: self._levels(sample, trial))
        model, baseline, floor = (
            sum(levels) / len(levels) for levels in zip(*found.values, strict=True)
        )
        trace = (
            f"means: {sample.name('baseline')} {baseline:.6g}, "
            f"{sample.name('model')} {model:.6g}, floor {floor:.6g}"
        )
        if any(at_floor(levels[1], levels[2]) for levels in found.values):
            note = "the baseline is within 2 % of what observed rows score, or below"
            return Entry(text="at floor", note=note, trace=(trace,))
        gaps = Answers(
            seeds=found.seeds,
            values=tuple(gap_closed(*levels) for levels in found.values),
            missing=found.missing,
        )
        entry = over_seeds(gaps, self.interval, decimals=0)
        return replace(
            entry,
            note=joined(entry.note, COLLAPSED if model < floor else None),
            trace=(trace, *entry.trace),
        )

    def _levels(self, sample: Sample, trial: Trial) -> tuple[float, float, float]:
        rounds = sample.rounds(trial)
        floors = pd.concat(
            [
                sample.rows(trial, side, self.floor)["value"].dropna()
                for side in ("model", "baseline")
            ]
        )
        if floors.empty:
            raise Unanswered("–")
        return (
            float(rounds.model.mean()),
            float(rounds.baseline.mean()),
            float(floors.mean()),
        )
