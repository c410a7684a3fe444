"""Rounds of an evaluation, by hand."""

import numpy as np
import pandas as pd

from cftrain.summary.statistics.change import ratios
from cftrain.summary.statistics.rounds import (
    by_round,
    differences,
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
    assert differences(rounds).to_dict() == {2: -1.0}


def test_differences_are_of_absolute_values():
    rounds = pd.DataFrame({"model": [-3.0], "baseline": [2.0]})
    assert differences(rounds).to_list() == [1.0]
