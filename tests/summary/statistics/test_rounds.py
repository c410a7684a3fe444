"""Rounds of an evaluation, by hand."""

import numpy as np
import pandas as pd

from cftrain.summary.statistics.change import ratios
from cftrain.summary.statistics.rounds import (
    by_round,
    differences,
    each_by_round,
    paired,
    partial_rounds,
)


def rows(*given: tuple[float, int | None, float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        given, columns=["energy_weight", "round", "value"], dtype="float64"
    )


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
    assert differences(rounds).to_dict() == {2: 1.0}


def test_differences_are_of_absolute_values():
    rounds = pd.DataFrame({"model": [-3.0], "baseline": [2.0]})
    assert differences(rounds).to_list() == [-1.0]


def test_rounds_of_many_cells_are_to_the_bit_those_of_each():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(900) < 0.1, np.nan, rng.normal(size=900) * 1e8)
    given = pd.DataFrame(
        {
            "cell": [f"c{n % 7}" for n in range(900)],
            "round": np.where(rng.random(900) < 0.1, np.nan, rng.integers(0, 5, 900)),
            "value": values,
        }
    )
    found = each_by_round(given)
    groups = dict(list(given.groupby("cell")))
    assert found.keys() == groups.keys()
    for cell, own in groups.items():
        pd.testing.assert_series_equal(found[cell], by_round(own), check_exact=True)
    assert each_by_round(given[:0]) == {}
