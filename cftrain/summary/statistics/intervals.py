"""Spreads and intervals, of two uncertainties that are kept apart.

Over the rounds of one trained pair: how much the draw of individuals matters (the
paper's ± and stars). Over training seeds: how much a model differs from its next
training, which the published tables leave out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ROUNDS_CONFIDENCE = 0.99
SEEDS_CONFIDENCE = 0.95
RESAMPLES = 9999
RESAMPLING_SEED = 2025
DRAWN_AT_ONCE = 2**20
"""Numbers in memory; how many they are changes no draw."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A centre and a two-sided interval around it."""

    centre: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def deviation(values: Sequence[float] | npt.NDArray[np.float64]) -> float | None:
    """Returns the standard deviation of a sample; None below two values."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def pooled_deviation(groups: Sequence[Sequence[float]]) -> tuple[float, int] | None:
    """Returns the standard deviation within groups and its degrees of freedom, or None
    if no group has two values.
    """
    several = [np.asarray(group) for group in groups if len(group) > 1]
    freedom = sum(len(group) - 1 for group in several)
    if not freedom:
        return None
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in several)
    return (squares / freedom) ** 0.5, freedom


def quantile_interval(values: npt.NDArray[np.float64], confidence: float) -> Interval:
    """Returns the mean of some values and what holds the middle `confidence` of them.

    With the differences over rounds and 99 %: the paper's interval, whose table has a
    star where it excludes zero.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(centre=float(values.mean()), low=float(low), high=float(high))


def t_interval(values: Sequence[float]) -> Interval:
    """Returns the mean and its 95 % interval by Student's t; needs two values."""
    return t_interval_of(
        float(np.mean(values)), float(np.std(values, ddof=1)), len(values)
    )


def t_interval_of(
    mean: float, deviation: float, count: int, *, confidence: float = SEEDS_CONFIDENCE
) -> Interval:
    """Returns the same of values that are known by their mean and deviation alone."""
    # Here, because it takes longer to import than most tables take to make.
    from scipy.special import stdtrit

    error = float(deviation / np.sqrt(count))
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * error
    return Interval(centre=mean, low=mean - half, high=mean + half)


def bootstrap_interval(values: Sequence[float]) -> Interval:
    """Returns the mean and its 95 % percentile bootstrap interval (Efron, 1979), with
    a fixed seed.

    Too narrow for few values: with five, a third narrower than Student's.
    """
    generator = np.random.default_rng(RESAMPLING_SEED)
    size = max(1, DRAWN_AT_ONCE // len(values))
    portions = [min(size, RESAMPLES - done) for done in range(0, RESAMPLES, size)]
    means = [
        generator.choice(np.asarray(values), (portion, len(values))).mean(1)
        for portion in portions
    ]
    tail = (1 - SEEDS_CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return Interval(centre=float(np.mean(values)), low=float(low), high=float(high))


INTERVALS = {"t": t_interval, "bootstrap": bootstrap_interval}
"""Intervals over training seeds, by the names that configurations give them."""
