"""The values of a measure themselves."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from cftrain.summary.reading.selection import Trial
from cftrain.summary.tables.quantity import (
    IntervalName,
    Quantity,
    from_to,
    over_seeds,
)
from cftrain.summary.tables.sample import Sample, Side
from cftrain.summary.tables.table import Entry


@final
@dataclass(frozen=True, kw_only=True)
class Levels(Quantity):
    """Baseline → model: means over rounds, then over the seeds that have both."""

    def entry(self, sample: Sample) -> Entry:
        names = sample.name("baseline"), sample.name("model")
        answers = sample.answers(lambda trial: self._of_seed(sample, trial))
        return from_to(answers, names)

    def _of_seed(self, sample: Sample, trial: Trial) -> tuple[float, float]:
        model = sample.by_round(trial, "model").mean()
        return sample.by_round(trial, "baseline").mean(), model


@final
@dataclass(frozen=True, kw_only=True)
class Level(Quantity):
    """Model or baseline: mean or median over rounds, then the mean over seeds."""

    side: Side
    centre: Literal["mean", "median"]
    interval: IntervalName

    def entry(self, sample: Sample) -> Entry:
        found = sample.answers(lambda trial: self._of_seed(sample, trial))
        return over_seeds(found, self.interval)

    def _of_seed(self, sample: Sample, trial: Trial) -> float:
        values = sample.by_round(trial, self.side).values
        return float(np.mean(values) if self.centre == "mean" else np.median(values))
