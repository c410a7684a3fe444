"""Spreads and intervals in closed form, by hand, and against scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cftrain.summary.statistics.intervals import (
    bootstrap_interval,
    deviation,
    pooled_deviation,
    quantile_interval,
    t_interval,
)

FIVE = (1.0, 2.5, 2.0, 4.0, 8.5)


def test_the_deviation_is_that_of_a_sample():
    assert deviation([1.0, 3.0]) == pytest.approx(2**0.5)
    assert deviation([1.0]) is None


def test_the_interval_over_rounds_holds_the_middle_of_them():
    held = quantile_interval(pd.Series(np.arange(1001) / 1000), 0.99)
    assert (held.centre, held.low, held.high) == pytest.approx((0.5, 0.005, 0.995))
    assert held.excludes_zero
    assert not quantile_interval(pd.Series([-1.0, 1.0]), 0.99).excludes_zero


def test_the_t_interval_of_two_values_in_closed_form():
    """With one degree of freedom, t is a Cauchy variable: its quantile is a tangent."""
    found = t_interval((0.0, 2.0))
    half = np.tan(np.pi * (0.975 - 0.5))
    assert found.centre == 1
    assert (found.low, found.high) == pytest.approx((1 - half, 1 + half), rel=1e-9)


def test_the_t_interval_agrees_with_scipy():
    found = t_interval(FIVE)
    expected = stats.ttest_1samp(FIVE, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(tuple(expected), rel=1e-12)


def test_the_bootstrap_agrees_with_scipy_and_is_repeatable():
    values = tuple(np.random.default_rng(3).normal(size=40))
    found = bootstrap_interval(values)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=50000, method="percentile", rng=1
    ).confidence_interval
    assert found.centre == np.mean(values)
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.02)
    assert bootstrap_interval(values) == found


def test_the_pooled_deviation_forgets_the_groups_means():
    assert pooled_deviation([(1.0, 3.0), (11.0, 13.0)]) == (pytest.approx(2**0.5), 2)
    assert pooled_deviation([(1.0,), ()]) is None
