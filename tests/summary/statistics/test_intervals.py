"""Statistics in closed form, by hand, and against scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cftrain.summary.statistics.intervals import (
    at_floor,
    bootstrap_interval,
    by_round,
    common,
    deviation,
    differences,
    gap_closed,
    paired,
    partial_rounds,
    pooled_deviation,
    quantile_interval,
    ratios,
    reduction,
    t_interval,
)

FIVE = (1.0, 2.5, 2.0, 4.0, 8.5)


def rows(*given: tuple[float, int | None, float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        given, columns=["energy_weight", "round", "value"], dtype="float64"
    )


def individuals(*given: tuple[float | None, int, bool, float]) -> pd.DataFrame:
    columns = ["energy_weight", "factual", "valid", "value"]
    return pd.DataFrame(given, columns=columns).assign(target=1, draws=7)


def test_a_round_is_the_mean_over_the_energy_weights_that_have_a_value():
    given = rows((1, 0, 2), (5, 0, 4), (1, 1, 3), (5, 1, None), (1, 2, None))
    means = by_round(given)
    assert means.loc[0] == 3
    assert means.loc[1] == 3
    assert np.isnan(means.loc[2])
    assert partial_rounds(given) == 1


def test_a_metric_without_rounds_has_one():
    assert by_round(rows((1, None, 2), (5, None, 4))).to_dict() == {-1: 3}


def test_rounds_are_paired_by_number():
    ours, theirs = pd.Series({0: 1.0, 2: 3.0, 3: np.nan}), pd.Series({2: 4.0, 3: 1.0})
    rounds = paired(ours, theirs)
    assert rounds.to_dict("index") == {2: {"model": 3.0, "baseline": 4.0}}
    assert ratios(rounds).to_dict() == {2: 0.75}
    assert differences(rounds).to_dict() == {2: -1.0}


@pytest.mark.parametrize("baseline", [(1.0, 0.0), (1.0, -0.5), ()])
def test_there_is_no_ratio_to_what_is_not_positive(baseline):
    rounds = paired(pd.Series([1.0] * len(baseline)), pd.Series(baseline))
    assert ratios(rounds) is None


def test_a_reduction_is_positive_where_the_model_has_less():
    assert reduction(0.75) == 25
    assert reduction(1.5) == -50


def test_differences_are_of_absolute_values():
    rounds = pd.DataFrame({"model": [-3.0], "baseline": [2.0]})
    assert differences(rounds).to_list() == [1.0]


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


def test_common_individuals_by_hand():
    """Valid under both: (0.1, 1), (0.1, 2), (5, 1); the other three are not."""
    ours = individuals(
        (0.1, 1, True, 1.0),
        (0.1, 2, True, 3.0),
        (0.1, 3, True, 9.0),
        (5.0, 1, True, 4.0),
        (5.0, 2, False, 9.0),
    )
    theirs = individuals(
        (0.1, 1, True, 2.0),
        (0.1, 2, True, 6.0),
        (0.1, 3, False, 9.0),
        (5.0, 1, True, 5.0),
        (5.0, 4, True, 9.0),
    )
    found = common(ours, theirs)
    assert found.model == pytest.approx(((1 + 3) / 2 + 4) / 2)
    assert found.baseline == pytest.approx(((2 + 6) / 2 + 5) / 2)
    assert (found.count, found.share) == (3, 3 / 6)


def test_common_individuals_of_a_generator_without_energy_weight():
    ours, theirs = individuals((None, 1, True, 1)), individuals((None, 1, True, 2))
    found = common(ours, theirs)
    assert (found.model, found.baseline, found.share) == (1, 2, 1)


def test_a_model_shares_all_valid_individuals_with_itself():
    ours = individuals((0.1, 1, True, 1.0), (0.1, 2, True, 3.0))
    found = common(ours, ours)
    assert (found.model, found.share) == (found.baseline, 1)


def test_no_common_individual_is_none():
    ours, theirs = individuals((0.1, 1, True, 1)), individuals((0.1, 1, False, 1))
    assert common(ours, theirs) is None


@pytest.mark.parametrize(
    ("baseline", "floor", "expected"),
    [(3.0, 2.0, False), (3.0, 2.95, True), (3.0, 3.5, True), (-0.1, 0.0, True)],
)
def test_a_baseline_stands_at_the_floor(baseline, floor, expected):
    assert at_floor(baseline, floor) == expected


def test_the_gap_is_closed_at_the_floor_and_more_below():
    assert gap_closed(3.0, 3.0, 2.0) == 0
    assert gap_closed(2.0, 3.0, 2.0) == 100
    assert gap_closed(1.5, 3.0, 2.0) == 150


def test_the_pooled_deviation_forgets_the_groups_means():
    assert pooled_deviation([(1.0, 3.0), (11.0, 13.0)]) == (pytest.approx(2**0.5), 2)
    assert pooled_deviation([(1.0,), ()]) is None
