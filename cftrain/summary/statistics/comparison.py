"""A model held against its baseline, measure by measure."""

from dataclasses import dataclass

import pandas as pd

from cftrain.errors import ResultError
from cftrain.results.store import Store
from cftrain.summary.statistics.intervals import (
    by_round,
    deviation,
    paired,
    ratios,
    reduction,
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measure of a model and its baseline.

    `reduction` is 100 (1 - mean over rounds of the ratio model / baseline), None if the
    baseline is not positive in every round, and
    `deviation` 100 times the standard deviation of that ratio, as in the paper's main
    table; measures without rounds have no deviation. For measures where higher is
    better `difference` is what to read.
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


def compare(store: Store, model: str, baseline: str | None) -> list[Comparison]:
    """Measures of a cell against those of its baseline. Raises ResultError."""
    metrics = store.read("metrics")
    of_model = metrics[metrics["cell"] == model]
    if of_model.empty:
        raise ResultError(f"{store.folder}: expected metrics of cell {model}, got none")
    of_baseline = metrics[metrics["cell"] == baseline]
    rows = []
    keys = ["metric", "epsilon"]
    for (name, epsilon), group in of_model.groupby(keys, dropna=False, sort=False):
        same = of_baseline["metric"] == name
        if not pd.isna(epsilon):
            same &= of_baseline["epsilon"] == epsilon
        measure = name if pd.isna(epsilon) else f"{name} (eps {epsilon:g})"
        rows.append(_compare(measure, group, of_baseline[same]))
    return rows


def _compare(measure: str, model: pd.DataFrame, baseline: pd.DataFrame) -> Comparison:
    ours, theirs = by_round(model), by_round(baseline)
    ratio = ratios(paired(ours, theirs))
    spread = None if ratio is None else deviation(ratio)
    first = model.iloc[0]
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
