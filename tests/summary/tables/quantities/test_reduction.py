"""Reductions against a few independent lines of pandas."""

import pandas as pd
import pytest
from scipy import stats

from cftrain.summary.tables.quantities.reduction import FirstSeed, OverSeeds
from cftrain.summary.tables.sample import Unanswered
from tests.summary.experiments import Pair, random_values, sample_of, values

OVER_SEEDS = OverSeeds(of="rounds", interval="t")


def pair(seed: int, ours=None, theirs=None, **given) -> Pair:
    return Pair(
        seed=seed,
        model={"ip": random_values(seed) if ours is None else ours},
        baseline={"ip": random_values(seed + 99) if theirs is None else theirs},
        **given,
    )


def frame(given) -> pd.DataFrame:
    listed = [(weight, number, value) for (weight, number), value in given.items()]
    return pd.DataFrame(listed, columns=["weight", "round", "value"])


def expected(seed: int) -> tuple[float, float]:
    """The reduction and its ± of a seed."""
    ours = frame(random_values(seed)).groupby("round")["value"].mean()
    theirs = frame(random_values(seed + 99)).groupby("round")["value"].mean()
    ratio = ours / theirs
    return 100 * (1 - ratio.mean()), 100 * ratio.std()


def test_the_first_seed_is_shown_as_in_the_paper(tmp_path):
    entry = FirstSeed().entry(sample_of(tmp_path, [pair(4), pair(3)]))
    assert (entry.value, entry.spread) == pytest.approx(expected(3), rel=1e-12)


@pytest.mark.parametrize(("ours", "star"), [((1, 1.5), True), ((1, 2.5), False)])
def test_a_star_where_the_differences_exclude_zero(ours, star, tmp_path):
    pairs = [pair(1, values(*ours), values(2.0, 2.0))]
    assert FirstSeed().entry(sample_of(tmp_path, pairs)).star == star


def test_one_round_has_neither_spread_nor_star(tmp_path):
    entry = FirstSeed().entry(sample_of(tmp_path, [pair(1, values(1.0), values(2.0))]))
    assert (entry.value, entry.spread, entry.star) == (50, None, False)


def test_the_mean_over_seeds_has_a_t_interval(tmp_path):
    entry = OVER_SEEDS.entry(sample_of(tmp_path, [pair(seed) for seed in range(5)]))
    seeds = [expected(seed)[0] for seed in range(5)]
    interval = stats.ttest_1samp(seeds, 0).confidence_interval(0.95)
    assert entry.value == pytest.approx(sum(seeds) / 5)
    assert (entry.low, entry.high) == pytest.approx(tuple(interval))
    assert entry.note is None


def test_few_seeds_are_said(tmp_path):
    entry = OVER_SEEDS.entry(sample_of(tmp_path, [pair(1), pair(2), pair(3)]))
    assert entry.note == "n=3 training seeds"


def test_one_seed_has_no_interval(tmp_path):
    with pytest.raises(Unanswered, match="1 seed"):
        OVER_SEEDS.entry(sample_of(tmp_path, [pair(1)]))


def test_the_ratio_of_means_is_another_one(tmp_path):
    pairs = [pair(seed, values(1.0, 3.0), values(1.0, 1.0)) for seed in (1, 2)]
    pairs += [pair(seed, values(1.0, 3.0), values(2.0, 4.0)) for seed in (3, 4)]
    sample = sample_of(tmp_path, pairs)
    by_round = (-100 + 100 * (1 - (1 / 2 + 3 / 4) / 2)) / 2
    by_mean = (-100 + 100 * (1 - 4 / 6)) / 2
    assert OVER_SEEDS.entry(sample).value == pytest.approx(by_round)
    of_means = OverSeeds(of="means", interval="bootstrap").entry(sample)
    assert of_means.value == pytest.approx(by_mean)


def test_seeds_without_an_answer_are_counted(tmp_path):
    failed = {"status": "failed", "reason": "diverged"}
    pairs = [
        pair(1),
        pair(2),
        pair(3, model_cell=failed),
        pair(4, ours=values(None, None)),
    ]
    entry = OVER_SEEDS.entry(sample_of(tmp_path, pairs))
    assert entry.value == pytest.approx((expected(1)[0] + expected(2)[0]) / 2)
    assert entry.note == (
        "n=2 training seeds; without 2 of 4 seeds: failed and no valid"
    )


def test_what_is_not_positive_gives_no_ratio(tmp_path):
    pairs = [pair(1, values(1.0, 1.0), values(2.0, -0.1))]
    with pytest.raises(Unanswered, match="BL ≤ 0"):
        FirstSeed().entry(sample_of(tmp_path, pairs))


@pytest.mark.parametrize(
    ("given", "mark"),
    [
        ({"ours": values(None)}, "no valid"),
        ({"theirs": values(None)}, "no valid"),
        ({"ours": values(1.0, None), "theirs": values(None, 1.0)}, "no valid"),
        ({"model_cell": {"status": "failed", "reason": "diverged"}}, "failed"),
        ({"baseline_cell": {"status": "failed", "reason": "diverged"}}, "failed"),
        ({"ours": {}}, "–"),
    ],
)
def test_what_cannot_be_computed_says_why(given, mark, tmp_path):
    with pytest.raises(Unanswered) as raised:
        FirstSeed().entry(sample_of(tmp_path, [pair(1, **given)]))
    assert raised.value.mark == mark


def test_a_missing_baseline_is_said(tmp_path):
    alone = Pair(model={"ip": values(1.0)}, baseline=None)
    with pytest.raises(Unanswered, match="no baseline"):
        FirstSeed().entry(sample_of(tmp_path, [alone]))
