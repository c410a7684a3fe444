"""How much less of a measure a model has than its baseline, in percent."""

from dataclasses import dataclass
from typing import Literal, final

from cftrain.summary.reading.selection import Trial
from cftrain.summary.statistics.change import reduction
from cftrain.summary.statistics.intervals import (
    ROUNDS_CONFIDENCE,
    deviation,
    quantile_interval,
)
from cftrain.summary.statistics.rounds import differences
from cftrain.summary.tables.quantity import (
    IntervalName,
    Quantity,
    at_least_two_seeds,
    over_seeds,
)
from cftrain.summary.tables.sample import Sample
from cftrain.summary.tables.table import Entry


@final
@dataclass(frozen=True, kw_only=True)
class FirstSeed(Quantity):
    """As the paper's main table, from the first training seed: the smallest number.

    100 (1 - mean over rounds of the ratio), ± 100 times the ratio's standard deviation
    over rounds, and a star where the 99 % interval of |baseline| - |model| over rounds
    excludes zero.
    """

    def entry(self, sample: Sample) -> Entry:
        trial = sample.trials[0]
        rounds = sample.rounds(trial)
        ratio = sample.ratios(rounds)
        spread = deviation(ratio)
        held = quantile_interval(differences(rounds), ROUNDS_CONFIDENCE)
        value = reduction(float(ratio.mean()))
        model, baseline = sample.name("model"), sample.name("baseline")
        return Entry(
            value=value,
            spread=None if spread is None else 100 * spread,
            star=len(rounds) > 1 and held.excludes_zero,
            trace=(
                f"seed {trial.seed}, {len(rounds)} rounds with a value of both",
                f"ratio {model}/{baseline} by round: "
                + " ".join(f"{number:.4f}" for number in ratio),
                f"reduction: 100 (1 - {ratio.mean():.6f}) = {value:.6f} %",
                f"±: standard deviation of the ratios, in %: {100 * (spread or 0):.6f}",
                f"|{baseline}| - |{model}|: mean {held.centre:.6g}, 99 % interval over "
                f"rounds [{held.low:.6g}, {held.high:.6g}]; a star where it excludes 0",
            ),
        )


@final
@dataclass(frozen=True, kw_only=True)
class OverSeeds(Quantity):
    """The mean over training seeds of their reductions, with its 95 % interval.

    `of` rounds: as `FirstSeed` in each seed; of means: the ratio of the means over
    rounds, as in the paper's ablation.
    """

    of: Literal["rounds", "means"]
    interval: IntervalName

    def entry(self, sample: Sample) -> Entry:
        answers = sample.answers(lambda trial: self._of_seed(sample, trial))
        return over_seeds(at_least_two_seeds(answers), self.interval, decimals=1)

    def _of_seed(self, sample: Sample, trial: Trial) -> float:
        rounds = sample.rounds(trial)
        if self.of == "means":
            rounds = rounds.means()
        return reduction(float(sample.ratios(rounds).mean()))
