"""A model held against its baseline, measure by measure."""

from dataclasses import dataclass

import pandas as pd

from cftrain.summary.statistics.change import is_steady, ratios, reduction
from cftrain.summary.statistics.intervals import (
    ROUNDS_CONFIDENCE,
    deviation,
    quantile_interval,
)
from cftrain.summary.statistics.rounds import by_round, paired


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measure of a model and its baseline; None for what has no value.

    `reduction` is 100 (1 - mean over rounds of the ratio model / baseline), None if the
    baseline is not positive in every round, and `deviation` 100 times the standard
    deviation of that ratio, as in the paper's main table; measures without rounds have
    no deviation. `steady` says whether these two mean anything. For measures where
    higher is better, and where they are not steady, `difference` is what to read;
    `noise` is its standard deviation over rounds, and `settled` says whether the
    interval over rounds of the paper's stars excludes zero, None without rounds.
    """

    metric: str
    epsilon: float | None
    unit: str
    higher_is_better: bool
    baseline: float | None
    model: float | None
    reduction: float | None
    deviation: float | None
    steady: bool
    noise: float | None
    settled: bool | None

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
        ours, theirs = (_of(table, name, epsilon) for table in (model, baseline))
        rows.append(_compare(ours, theirs))
    return rows


def _of(rows: pd.DataFrame, metric: str, epsilon: float | None) -> pd.DataFrame:
    same = rows["metric"] == metric
    return rows[same if pd.isna(epsilon) else same & (rows["epsilon"] == epsilon)]


def _compare(model: pd.DataFrame, baseline: pd.DataFrame) -> Comparison:
    ours, theirs = by_round(model), by_round(baseline)
    rounds = paired(ours, theirs)
    ratio = ratios(rounds)
    spread = None if ratio is None else deviation(ratio)
    gaps = rounds.model - rounds.baseline
    interval = quantile_interval(gaps, ROUNDS_CONFIDENCE) if len(gaps) > 1 else None
    first = (baseline if model.empty else model).iloc[0]
    return Comparison(
        metric=first["metric"],
        epsilon=_number(first["epsilon"]),
        unit=first["unit"],
        higher_is_better=bool(first["higher_is_better"]),
        baseline=_number(theirs.mean()),
        model=_number(ours.mean()),
        reduction=None if ratio is None else reduction(float(ratio.mean())),
        deviation=None if spread is None else 100 * spread,
        steady=ratio is not None and is_steady(ratio, rounds),
        noise=deviation(gaps),
        settled=None if interval is None else interval.excludes_zero,
    )


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
