"""Model against baseline on the individuals for whom both have a valid answer."""

from dataclasses import dataclass, replace
from typing import ClassVar, final

from cftrain.summary.reading.selection import Trial
from cftrain.summary.statistics.change import reduction
from cftrain.summary.statistics.individuals import Common, common
from cftrain.summary.tables.quantity import IntervalName, Quantity, over_seeds
from cftrain.summary.tables.sample import Answers, Sample, Unanswered, no_ratio
from cftrain.summary.tables.table import Entry


@final
@dataclass(frozen=True, kw_only=True)
class CommonReduction(Quantity):
    """Mean over training seeds of the reduction on common individuals."""

    table: ClassVar[str] = "individuals"

    interval: IntervalName

    def entry(self, sample: Sample) -> Entry:
        found = sample.answers(lambda trial: _positive(sample, trial))
        reductions = Answers(
            seeds=found.seeds,
            values=tuple(reduction(c.model / c.baseline) for c in found.values),
            missing=found.missing,
        )
        entry = over_seeds(reductions, self.interval, decimals=1)
        model, baseline = sample.name("model"), sample.name("baseline")
        means = tuple(
            f"seed {seed}, {common.count} individuals in common: {baseline} "
            f"{common.baseline:.6g}, {model} {common.model:.6g}"
            for seed, common in zip(found.seeds, found.values, strict=True)
        )
        return replace(entry, trace=(*means, *entry.trace))


@final
@dataclass(frozen=True, kw_only=True)
class CommonShare(Quantity):
    """Mean over training seeds of the percentage of individuals valid under both."""

    table: ClassVar[str] = "individuals"

    interval: IntervalName

    def entry(self, sample: Sample) -> Entry:
        answers = sample.answers(lambda trial: 100 * _common(sample, trial).share)
        return over_seeds(answers, self.interval, decimals=1, within=(0, 100))


def _positive(sample: Sample, trial: Trial) -> Common:
    found = _common(sample, trial)
    if found.baseline <= 0:
        raise no_ratio(sample.name("baseline"))
    return found


def _common(sample: Sample, trial: Trial) -> Common:
    tables = []
    for side in ("model", "baseline"):
        rows = sample.rows_of("individuals", trial, side)
        rows = rows[rows["metric"] == sample.metric]
        if rows.empty:
            raise Unanswered("–")
        tables.append(rows)
    found = common(*tables)
    if found is None:
        raise Unanswered("none", "no individual is valid under both models")
    return found
