"""A model held against its baseline, measure by measure."""

from dataclasses import dataclass

import pandas as pd

from cftrain.summary.statistics.change import ratios, reduction
from cftrain.summary.statistics.intervals import deviation
from cftrain.summary.statistics.rounds import by_round, paired


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measure of a model and its baseline; None for what has no value.

    `reduction` is 100 (1 - mean over rounds of the ratio model / baseline), None if the
    baseline is not positive in every round, and `deviation` 100 times the standard
    deviation of that ratio, as in the paper's main table; measures without rounds have
    no deviation. For measures where higher is better `difference` is what to read.
    """

    measure: str
    unit: str
    higher_is_better: bool
    baseline: float | None
    model: float | None
    reduction: float | None
    deviation: float | None

    @property
    def difference(self) -> float | None:
        if self.baseline is None or self.model is None:
            return None
        return self.model - self.baseline


def compare(model: pd.DataFrame, baseline: pd.DataFrame) -> list[Comparison]:
    """Compares two models by every measure that the first one has, or, if it has none,
    the second one. Both tables are rows of `metrics`.
    """
    listed = baseline if model.empty else model
    rows = []
    for name, epsilon in listed[["metric", "epsilon"]].drop_duplicates().to_numpy():
        measure = name if pd.isna(epsilon) else f"{name} (eps {epsilon:g})"
        ours, theirs = (_of(table, name, epsilon) for table in (model, baseline))
        rows.append(_compare(measure, ours, theirs))
    return rows


def _of(rows: pd.DataFrame, metric: str, epsilon: float | None) -> pd.DataFrame:
    same = rows["metric"] == metric
    return rows[same if pd.isna(epsilon) else same & (rows["epsilon"] == epsilon)]


def _compare(measure: str, model: pd.DataFrame, baseline: pd.DataFrame) -> Comparison:
    ours, theirs = by_round(model), by_round(baseline)
    ratio = ratios(paired(ours, theirs))
    spread = None if ratio is None else deviation(ratio)
    first = (baseline if model.empty else model).iloc[0]
    return Comparison(
        measure=measure,
        unit=first["unit"],
        higher_is_better=bool(first["higher_is_better"]),
        baseline=_number(theirs.mean()),
        model=_number(ours.mean()),
        reduction=None if ratio is None else reduction(float(ratio.mean())),
        deviation=None if spread is None else 100 * spread,
    )


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
