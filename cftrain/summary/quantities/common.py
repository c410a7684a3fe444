"""Model against baseline on the individuals for whom both have a valid answer."""

from dataclasses import dataclass
from typing import final

from cftrain.summary.evidence import Trial
from cftrain.summary.quantity import (
    IntervalName,
    NoRatio,
    Quantity,
    Sample,
    Unanswered,
    over_seeds,
)
from cftrain.summary.statistics import Common, common, reduction
from cftrain.summary.table import Entry


@final
@dataclass(frozen=True, kw_only=True)
class CommonReduction(Quantity):
    """Mean over training seeds of the reduction on common individuals."""

    interval: IntervalName

    def entry(self, sample: Sample) -> Entry:
        return over_seeds(
            sample.answers(lambda trial: self._of_seed(sample, trial)),
            self.interval,
            decimals=1,
        )

    def _of_seed(self, sample: Sample, trial: Trial) -> float:
        found = _common(sample, trial)
        if found.baseline <= 0:
            raise NoRatio
        return reduction(found.model / found.baseline)


@final
@dataclass(frozen=True, kw_only=True)
class CommonShare(Quantity):
    """Mean over training seeds of the percentage of individuals valid under both."""

    interval: IntervalName

    def entry(self, sample: Sample) -> Entry:
        answers = sample.answers(lambda trial: 100 * _common(sample, trial).share)
        return over_seeds(answers, self.interval, decimals=1)


def _common(sample: Sample, trial: Trial) -> Common:
    tables = []
    for side in ("model", "baseline"):
        rows = sample.evidence.rows("individuals", sample.cell(trial, side))
        rows = rows[rows["metric"] == sample.metric]
        if rows.empty:
            raise Unanswered("–")
        tables.append(rows)
    found = common(*tables)
    if found is None:
        raise Unanswered("none", "no individual is valid under both models")
    return found
