"""Rounds of an evaluation, by hand."""

import numpy as np
import pandas as pd

from cftrain.summary.statistics.change import ratios
from cftrain.summary.statistics.rounds import (
    Pairs,
    Rounds,
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
    assert means.numbers.tolist() == [0, 1, 2]
    assert means.values[:2].tolist() == [3, 3]
    assert np.isnan(means.values[2])
    assert means.present().numbers.tolist() == [0, 1]
    assert means.mean() == 3
    assert partial_rounds(given) == 1


def test_a_metric_without_rounds_has_one():
    found = by_round(rows((1, None, 2), (5, None, 4)))
    assert (found.numbers.tolist(), found.values.tolist()) == ([-1], [3])


def test_a_measure_without_any_value_has_no_mean():
    found = by_round(rows((1, 0, None), (1, 1, None)))
    assert len(found) == 2
    assert len(found.present()) == 0
    assert np.isnan(found.mean())


def test_rounds_are_paired_by_number():
    ours = Rounds(np.array([0.0, 2, 3, 5]), np.array([1.0, 3, np.nan, 6]))
    theirs = Rounds(np.array([2.0, 3, 5]), np.array([4.0, 1, 8]))
    rounds = paired(ours, theirs)
    assert rounds.model.tolist() == [3, 6]
    assert rounds.baseline.tolist() == [4, 8]
    assert ratios(rounds).tolist() == [0.75, 0.75]
    assert differences(rounds).tolist() == [1, 2]
    assert (rounds.means().model.item(), rounds.means().baseline.item()) == (4.5, 6)


def test_rounds_of_the_same_numbers_are_paired_as_others_are():
    rng = np.random.default_rng(1)
    numbers = np.arange(6.0)
    ours, theirs = (Rounds(numbers, rng.normal(size=6)) for _ in range(2))
    rounds = paired(ours, theirs)
    shifted = Rounds(np.arange(7.0), np.append(theirs.values, 9))
    assert rounds.model.tolist() == paired(ours, shifted).model.tolist()
    assert rounds.baseline.tolist() == paired(ours, shifted).baseline.tolist()


def test_differences_are_of_absolute_values():
    rounds = Pairs(np.array([-3.0]), np.array([2.0]))
    assert differences(rounds).tolist() == [-1.0]


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
        alone = by_round(own)
        np.testing.assert_array_equal(found[cell].numbers, alone.numbers)
        np.testing.assert_array_equal(found[cell].values, alone.values)
    assert each_by_round(given[:0]) == {}
