"""Quantities that show values themselves: of rounds, seeds, transfer and settings."""

import numpy as np
import pytest

from cftrain.summary.tables.quantities.hyperparameter import Hyperparameter
from cftrain.summary.tables.quantities.level import Level, Levels
from cftrain.summary.tables.quantities.rounds import (
    Difference,
    DifferenceOverSeeds,
    RoundQuantiles,
)
from cftrain.summary.tables.quantities.transfer import Transferred
from cftrain.summary.tables.sample import Unanswered
from tests.summary.experiments import Pair, sample_of, values

FIRST = Pair(
    seed=1,
    model={"ip": values(1.0, 2.0, 6.0)},
    baseline={"ip": values(4.0, 4.0, 7.0)},
    model_transfer=(0.5, None, 0.7),
    baseline_transfer=(1.0,),
    setting={"schedule": {"epochs": 20, "rate": 0.5}, "hidden": [32, 16], "name": "x"},
)
SECOND = Pair(
    seed=2,
    model={"ip": values(5.0)},
    baseline={"ip": values(9.0)},
    model_transfer=(0.8,),
    baseline_transfer=(None,),
    setting=FIRST.setting,
)


@pytest.fixture
def sample(tmp_path):
    return sample_of(tmp_path, [FIRST, SECOND])


def test_levels_go_from_the_baseline_to_the_model(sample):
    entry = Levels().entry(sample)
    assert (entry.before, entry.value) == ((5 + 9) / 2, (3 + 5) / 2)
    assert entry.note == "n=2 training seeds"


@pytest.mark.parametrize(
    ("side", "centre", "expected"),
    [("model", "mean", 4), ("model", "median", 3.5), ("baseline", "median", 6.5)],
)
def test_a_level_is_the_mean_of_the_seeds_centres(side, centre, expected, sample):
    entry = Level(side=side, centre=centre, interval="t").entry(sample)
    assert entry.value == expected
    assert entry.low < expected < entry.high


def test_the_level_of_one_seed_stands_alone(tmp_path):
    level = Level(side="model", centre="mean", interval="t")
    entry = level.entry(sample_of(tmp_path, [FIRST]))
    assert (entry.value, entry.low, entry.note) == (3, None, "n=1 training seed")


def test_a_level_of_the_model_needs_no_baseline(tmp_path):
    alone = Pair(model={"ip": values(3.0)}, baseline=None)
    level = Level(side="model", centre="mean", interval="t")
    assert level.entry(sample_of(tmp_path, [alone])).value == 3


def test_differences_are_positive_where_the_model_has_less(sample):
    entry = Difference().entry(sample)
    low, high = np.quantile([3, 2, 1], [0.005, 0.995])
    assert (entry.value, entry.low, entry.high) == pytest.approx((2, low, high))
    assert entry.star


def test_differences_over_seeds(sample):
    assert DifferenceOverSeeds(interval="t").entry(sample).value == (2 + 4) / 2


def test_differences_of_one_seed_have_no_interval(tmp_path):
    with pytest.raises(Unanswered, match="1 seed"):
        DifferenceOverSeeds(interval="t").entry(sample_of(tmp_path, [FIRST]))


def test_quantiles_over_rounds(sample):
    entry = RoundQuantiles(side="model").entry(sample)
    low, high = np.quantile([1, 2, 6], [0.025, 0.975])
    assert (entry.value, entry.low, entry.high) == pytest.approx((2, low, high))


def test_transfer_is_shown_for_seeds_that_have_both(sample):
    entry = Transferred().entry(sample)
    assert (entry.before, entry.value) == pytest.approx((1, 0.6))
    assert "without 1 of 2 seeds: no valid" in entry.note


def test_without_transfer_there_is_nothing(tmp_path):
    pair = Pair(model=FIRST.model, baseline=FIRST.baseline)
    with pytest.raises(Unanswered, match="–"):
        Transferred().entry(sample_of(tmp_path, [pair]))


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("schedule.epochs", "20"),
        ("schedule.rate", "0.5"),
        ("hidden", "32, 16"),
        ("name", "x"),
    ],
)
def test_settings_are_shown_as_they_were_given(key, shown, sample):
    assert Hyperparameter(key=key).entry(sample).shown() == shown


@pytest.mark.parametrize("key", ["nosuch", "schedule.nosuch", "name.nosuch"])
def test_a_setting_that_a_run_does_not_have_is_empty(key, sample):
    with pytest.raises(Unanswered, match="–"):
        Hyperparameter(key=key).entry(sample)
