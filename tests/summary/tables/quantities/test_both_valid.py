import pytest

from cftrain.summary.tables.quantities.both_valid import CommonReduction, CommonShare
from cftrain.summary.tables.sample import Unanswered
from tests.summary.experiments import Pair, sample_of

REDUCTION, SHARE = CommonReduction(interval="t"), CommonShare(interval="t")


def pair(seed: int, ours: list[tuple], theirs: list[tuple]) -> Pair:
    return Pair(
        seed=seed,
        model={},
        baseline={},
        model_individuals={"ip": ours, "cost": []},
        baseline_individuals={"ip": theirs},
    )


def test_two_seeds_by_hand(tmp_path):
    first = pair(
        1,
        [(0.1, 1, 1, True, 1.0), (0.1, 2, 1, True, 50.0)],
        [(0.1, 1, 1, True, 2.0), (0.1, 2, 1, False, 60.0)],
    )
    second = pair(2, [(0.1, 1, 1, True, 3.0)], [(0.1, 1, 1, True, 4.0)])
    sample = sample_of(tmp_path, [first, second])
    assert REDUCTION.entry(sample).value == pytest.approx((50 + 25) / 2)
    assert SHARE.entry(sample).value == pytest.approx((50 + 100) / 2)


@pytest.mark.parametrize("quantity", [REDUCTION, SHARE])
def test_nothing_in_common_is_said(quantity, tmp_path):
    pairs = [pair(1, [(0.1, 1, 1, True, 1.0)], [(0.1, 1, 1, False, 1.0)])]
    with pytest.raises(Unanswered, match="none"):
        quantity.entry(sample_of(tmp_path, pairs))


def test_a_measure_without_individuals_is_empty(tmp_path):
    with pytest.raises(Unanswered, match="–"):
        REDUCTION.entry(sample_of(tmp_path, [pair(1, [], [])]))


def test_no_ratio_to_zero(tmp_path):
    pairs = [pair(1, [(0.1, 1, 1, True, 1.0)], [(0.1, 1, 1, True, 0.0)])]
    with pytest.raises(Unanswered, match="BL ≤ 0"):
        REDUCTION.entry(sample_of(tmp_path, pairs))
