"""Model against baseline on the individuals for whom both have a valid answer."""

from dataclasses import dataclass, replace
from typing import ClassVar, final

from cftrain.summary.reading.reader import Trial
from cftrain.summary.statistics.intervals import Common, common, reduction
from cftrain.summary.tables.quantity import (
    Answers,
    IntervalName,
    NoRatio,
    Quantity,
    Sample,
    Unanswered,
    over_seeds,
)
from cftrain.summary.tables.table import Entry


@final
@dataclass(frozen=True, kw_only=True)
class CommonReduction(Quantity):
    """Mean over training seeds of the reduction on common individuals."""

    table: ClassVar[str] = "individuals"

    interval: IntervalName

    def entry(self, sample: Sample) -> Entry:
        found = sample.answers(lambda trial: _positive(_common(sample, trial)))
        reductions = Answers(
            seeds=found.seeds,
            values=tuple(reduction(c.model / c.baseline) for c in found.values),
            missing=found.missing,
        )
        entry = over_seeds(reductions, self.interval, decimals=1)
        means = tuple(
            f"seed {seed}, {common.count} individuals in common: BL "
            f"{common.baseline:.6g}, CT {common.model:.6g}"
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


def _positive(found: Common) -> Common:
    if found.baseline <= 0:
        raise NoRatio
    return found


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
