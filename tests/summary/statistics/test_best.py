"""Which setting is best, and which are as good."""

import math

import pytest
from scipy import stats

from cftrain.summary.statistics.best import ranked


def test_the_lowest_mean_is_best_where_less_is_better():
    values = [{1: 3.0, 2: 5.0}, {1: 1.0, 2: 2.0}, {1: 8.0, 2: 2.0}]
    less = ranked(values, higher_is_better=False)
    assert [each.place for each in less] == [1, 0, 2]
    assert [each.mean for each in less] == [1.5, 4.0, 5.0]
    more = ranked(values, higher_is_better=True)
    assert [each.place for each in more] == [2, 0, 1]
    assert more[1].behind.centre == 1.0


def test_differences_are_paired_and_for_all_comparisons_together():
    best = {1: 1.0, 2: 5.0, 3: 9.0}
    # Alike up to a constant: the seeds differ much, the settings by 1 in each of them.
    near = {seed: value + 1 + 0.01 * seed for seed, value in best.items()}
    noisy = {1: 7.0, 2: 3.0, 3: 8.0}
    found = ranked([noisy, near, best], higher_is_better=False)
    assert [each.place for each in found] == [2, 0, 1]
    first, other, second = found
    assert first.behind is None
    assert first.tied is None
    assert second.tied is False
    assert other.tied is True
    gaps = [noisy[seed] - best[seed] for seed in best]
    low, high = stats.t.interval(0.975, 2, loc=1.0, scale=stats.sem(gaps))
    assert other.behind.low == pytest.approx(low)
    assert other.behind.high == pytest.approx(high)
    alone = stats.t.interval(0.95, 2, loc=5.0, scale=stats.sem(list(best.values())))
    assert (first.interval.low, first.interval.high) == pytest.approx(alone)


def test_one_seed_says_nothing_about_how_sure_that_is():
    found = ranked([{1: 2.0}, {1: 1.0}], higher_is_better=True)
    assert [(each.place, each.interval, each.tied) for each in found] == [
        (0, None, None),
        (1, None, None),
    ]


def test_seeds_that_are_not_shared_are_not_paired():
    found = ranked([{1: 1.0, 2: 1.1}, {2: 3.0, 3: 4.0}], higher_is_better=False)
    assert found[1].behind is None
    assert found[1].interval is not None


def test_values_that_are_not_finite_do_not_count_and_none_comes_last():
    found = ranked([{1: math.nan}, {1: 9.0, 2: math.inf}], higher_is_better=False)
    assert [(each.place, each.seeds) for each in found] == [(1, 1), (0, 0)]
    assert math.isnan(found[1].mean)
