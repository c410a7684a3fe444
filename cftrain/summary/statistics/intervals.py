"""Statistics of tables: ratios over rounds, intervals over seeds, common individuals.

Two uncertainties are kept apart. Over the rounds of one trained pair: how much the draw
of individuals matters (the paper's ± and stars). Over training seeds: how much a model
differs from its next training, which the published tables leave out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

ROUNDS_CONFIDENCE = 0.99
SEEDS_CONFIDENCE = 0.95
RESAMPLES = 9999
RESAMPLING_SEED = 2025

FLOOR_MARGIN = 0.02
"""A baseline this share of itself above the floor, or less, stands at the floor."""

INDIVIDUAL = ["energy_weight", "factual", "target"]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A centre and a two-sided interval around it."""

    centre: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, kw_only=True)
class Common:
    """Means over the individuals that are valid under both models, and their share of
    all individuals searched for either.
    """

    model: float
    baseline: float
    share: float
    count: int


def by_round(rows: pd.DataFrame) -> pd.Series:
    """Mean over energy weights in each round, NaN where no weight has a value.

    `rows` are those of one metric of one cell. As in the authors' code, a round in
    which some weights have no value is the mean of the others; see `partial_rounds`.
    Metrics without rounds have a single one, -1.
    """
    means: pd.Series = rows.groupby(rows["round"].fillna(-1))["value"].mean()
    return means


def partial_rounds(rows: pd.DataFrame) -> int:
    """Rounds in which some energy weights have a value and others have none."""
    present = rows["value"].notna().groupby(rows["round"].fillna(-1)).mean()
    return int(((present > 0) & (present < 1)).sum())


def paired(model: pd.Series, baseline: pd.Series) -> pd.DataFrame:
    """The rounds in which both have a value, as columns `model` and `baseline`."""
    return pd.DataFrame({"model": model, "baseline": baseline}).dropna()


def ratios(rounds: pd.DataFrame) -> pd.Series | None:
    """Model over baseline in each of the paired rounds.

    None if there are no rounds, or if the baseline is not positive in one of them: a
    ratio to nothing, or to an unbiased estimate below zero, says nothing.
    """
    if rounds.empty or not (rounds["baseline"] > 0).all():
        return None
    return rounds["model"] / rounds["baseline"]


def reduction(ratio: float) -> float:
    """100 (1 - ratio), positive where the model has less (paper, main table)."""
    return 100 * (1 - ratio)


def deviation(values: Sequence[float] | pd.Series) -> float | None:
    """Sample standard deviation; None below two values."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def differences(rounds: pd.DataFrame) -> pd.Series:
    """|model| - |baseline| in each of the paired rounds."""
    return rounds["model"].abs() - rounds["baseline"].abs()


def quantile_interval(values: pd.Series, confidence: float) -> Interval:
    """The mean of some values and what holds the middle `confidence` of them.

    With the differences over rounds and 99 %: the paper's interval, whose table has a
    star where it excludes zero.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(centre=float(values.mean()), low=float(low), high=float(high))


def t_interval(values: Sequence[float]) -> Interval:
    """Mean and its 95 % interval by Student's t; needs two values."""
    mean, error = float(np.mean(values)), float(stats.sem(values))
    half = float(stats.t.ppf((1 + SEEDS_CONFIDENCE) / 2, len(values) - 1)) * error
    return Interval(centre=mean, low=mean - half, high=mean + half)


def bootstrap_interval(values: Sequence[float]) -> Interval:
    """Mean and its 95 % percentile bootstrap interval (Efron, 1979), seeded.

    Too narrow for few values: with five, a third narrower than Student's.
    """
    generator = np.random.default_rng(RESAMPLING_SEED)
    drawn = generator.choice(np.asarray(values), (RESAMPLES, len(values)))
    tail = (1 - SEEDS_CONFIDENCE) / 2
    low, high = np.quantile(drawn.mean(1), [tail, 1 - tail])
    return Interval(centre=float(np.mean(values)), low=float(low), high=float(high))


INTERVALS = {"t": t_interval, "bootstrap": bootstrap_interval}
"""Intervals over training seeds, by the names that configurations give them."""


def common(model: pd.DataFrame, baseline: pd.DataFrame) -> Common | None:
    """One metric's individuals of two models, on those valid under both; None if there
    are none.

    Every distinct (energy weight, factual, target) counts once, however often either
    model drew it: the models draw apart, so no weighting by draws is fair to both. The
    mean is taken in each energy weight, then over the weights.
    """
    searched = pd.concat([model[INDIVIDUAL], baseline[INDIVIDUAL]]).drop_duplicates()
    columns = [*INDIVIDUAL, "value"]
    both = pd.merge(
        model.loc[model["valid"] & model["value"].notna(), columns],
        baseline.loc[baseline["valid"] & baseline["value"].notna(), columns],
        on=INDIVIDUAL,
        suffixes=("_model", "_baseline"),
    )
    if both.empty:
        return None
    values = both[["value_model", "value_baseline"]].astype("float64")
    means = values.groupby(both["energy_weight"].fillna(-1)).mean().mean()
    return Common(
        model=float(means["value_model"]),
        baseline=float(means["value_baseline"]),
        share=len(both) / len(searched),
        count=len(both),
    )


def at_floor(baseline: float, floor: float) -> bool:
    """Whether a baseline leaves no gap worth closing."""
    return baseline - floor <= FLOOR_MARGIN * abs(baseline)


def gap_closed(model: float, baseline: float, floor: float) -> float:
    """Percentage of the way from the baseline to what observed rows score."""
    return 100 * (baseline - model) / (baseline - floor)


def pooled_deviation(groups: Sequence[Sequence[float]]) -> tuple[float, int] | None:
    """Standard deviation within groups and its degrees of freedom; None without any."""
    several = [np.asarray(group) for group in groups if len(group) > 1]
    freedom = sum(len(group) - 1 for group in several)
    if not freedom:
        return None
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in several)
    return (squares / freedom) ** 0.5, freedom
