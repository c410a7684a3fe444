"""Spreads and intervals in closed form, by hand, and against scipy."""

import numpy as np
import pytest
from scipy import stats

from cftrain.summary.statistics import intervals
from cftrain.summary.statistics.intervals import (
    bootstrap_interval,
    deviation,
    pooled_deviation,
    quantile_interval,
    t_interval,
    t_interval_of,
)

FIVE = (1.0, 2.5, 2.0, 4.0, 8.5)


def test_the_deviation_is_that_of_a_sample():
    assert deviation([1.0, 3.0]) == pytest.approx(2**0.5)
    assert deviation([1.0]) is None


def test_the_interval_over_rounds_holds_the_middle_of_them():
    held = quantile_interval(np.arange(1001) / 1000, 0.99)
    assert (held.centre, held.low, held.high) == pytest.approx((0.5, 0.005, 0.995))
    assert held.excludes_zero
    assert not quantile_interval(np.array([-1.0, 1.0]), 0.99).excludes_zero


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


def test_the_t_interval_needs_mean_and_deviation_only():
    mean, spread = float(np.mean(FIVE)), float(np.std(FIVE, ddof=1))
    assert t_interval_of(mean, spread, len(FIVE)) == t_interval(FIVE)


@pytest.mark.parametrize("at_once", [1, 1000, 2**30])
def test_the_bootstrap_does_not_depend_on_its_portions(at_once, monkeypatch):
    """To the last bit: the stream of draws is the same."""
    values = np.random.default_rng(3).normal(size=37).tolist()
    generator = np.random.default_rng(intervals.RESAMPLING_SEED)
    means = generator.choice(values, (intervals.RESAMPLES, 37)).mean(1)
    monkeypatch.setattr(intervals, "DRAWN_AT_ONCE", at_once)
    found = bootstrap_interval(values)
    assert [found.low, found.high] == np.quantile(means, [0.025, 0.975]).tolist()


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
