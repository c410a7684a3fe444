"""A model against its baseline, in percent: the one place that knows the sign."""

import pandas as pd

from cftrain.summary.statistics.intervals import deviation
from cftrain.summary.statistics.rounds import Array, Pairs

STEADY = 0.5
"""Ratios that vary by more of the baseline than this say nothing in percent."""


def change(model: pd.Series, baseline: pd.Series) -> pd.Series:
    """Returns 100 (model - baseline) / baseline, place by place: below zero where the
    model has less. NaN where the baseline is not positive: a ratio to nothing, or to an
    unbiased estimate below zero, says nothing.
    """
    changes: pd.Series = 100 * (model / baseline.where(baseline > 0) - 1)
    return changes


def reduction(ratio: float) -> float:
    """Returns minus the change that a ratio model / baseline is: 100 (1 - ratio).

    Positive where the model has less, as in the paper's tables.
    """
    return 100 * (1 - ratio)


def ratios(rounds: Pairs) -> Array | None:
    """Returns model over baseline in each of the paired rounds.

    None if there are no rounds, or if the baseline is not positive in one of them.
    """
    if not len(rounds) or not (rounds.baseline > 0).all():
        return None
    return rounds.model / rounds.baseline


def is_steady(found: Array, rounds: Pairs) -> bool:
    """Returns whether the mean of ratios over the paired rounds says something.

    It does not where the baseline is near zero for its noise: then the ratios scatter,
    or their mean is on the other side of 1 than the ratio of the means.
    """
    spread = deviation(found)
    of_means = rounds.model.mean() / rounds.baseline.mean()
    agree = (found.mean() - 1) * (of_means - 1) >= 0
    return bool(agree) and (spread or 0) <= STEADY
