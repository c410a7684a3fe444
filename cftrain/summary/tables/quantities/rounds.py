"""What varies between the rounds of one evaluation."""

from dataclasses import dataclass
from typing import final

import numpy as np

from cftrain.summary.statistics.intervals import (
    ROUNDS_CONFIDENCE,
    SEEDS_CONFIDENCE,
    quantile_interval,
)
from cftrain.summary.statistics.rounds import differences
from cftrain.summary.tables.quantity import (
    IntervalName,
    Quantity,
    at_least_two_seeds,
    over_seeds,
)
from cftrain.summary.tables.sample import Sample, Side
from cftrain.summary.tables.table import Entry, decimals_for


@final
@dataclass(frozen=True, kw_only=True)
class Difference(Quantity):
    """|baseline| - |model| of the first seed: mean and 99 % interval over rounds.

    As reductions are, it is positive where the model has less.
    """

    def entry(self, sample: Sample) -> Entry:
        rounds = sample.rounds(sample.trials[0])
        held = quantile_interval(differences(rounds), ROUNDS_CONFIDENCE)
        model, baseline = sample.name("model"), sample.name("baseline")
        return Entry(
            value=held.centre,
            low=held.low,
            high=held.high,
            star=len(rounds) > 1 and held.excludes_zero,
            decimals=decimals_for(held.centre),
            trace=(
                f"|{baseline}| - |{model}| over {len(rounds)} rounds of seed "
                f"{sample.trials[0].seed}",
            ),
        )


@final
@dataclass(frozen=True, kw_only=True)
class DifferenceOverSeeds(Quantity):
    """The mean over training seeds of |baseline| - |model|, with its 95 % interval."""

    interval: IntervalName

    def entry(self, sample: Sample) -> Entry:
        answers = sample.answers(
            lambda trial: float(differences(sample.rounds(trial)).mean())
        )
        return over_seeds(at_least_two_seeds(answers), self.interval)


@final
@dataclass(frozen=True, kw_only=True)
class RoundQuantiles(Quantity):
    """Model or baseline of the first seed: median, 2.5 % and 97.5 % over rounds."""

    side: Side

    def entry(self, sample: Sample) -> Entry:
        rounds = sample.by_round(sample.trials[0], self.side)
        held = quantile_interval(rounds.values, SEEDS_CONFIDENCE)
        median = float(np.median(rounds.values))
        return Entry(
            value=median,
            low=held.low,
            high=held.high,
            decimals=decimals_for(median),
            trace=(f"{len(rounds)} rounds of seed {sample.trials[0].seed}",),
        )
