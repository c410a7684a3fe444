import pytest

from cftrain.summary.tables.quantities.gap import GapClosed
from cftrain.summary.tables.sample import Unanswered
from tests.summary.experiments import Pair, sample_of, values

GAP = GapClosed(floor="ip_floor", interval="t")


def pair(ours: float, theirs: float, floor: tuple[float, float], seed: int = 1) -> Pair:
    return Pair(
        seed=seed,
        model={"ip": values(ours), "ip_floor": values(floor[0])},
        baseline={"ip": values(theirs), "ip_floor": values(floor[1])},
    )


def test_the_share_of_the_gap_to_the_mean_floor_of_both(tmp_path):
    entry = GAP.entry(sample_of(tmp_path, [pair(3.0, 4.0, (1.9, 2.1))]))
    assert entry.value == pytest.approx(50)


def test_the_mean_over_seeds(tmp_path):
    pairs = [pair(3.0, 4.0, (2, 2)), pair(2.5, 4.0, (2, 2), seed=2)]
    entry = GAP.entry(sample_of(tmp_path, pairs))
    assert entry.value == pytest.approx((50 + 75) / 2)
    assert entry.low < entry.value < entry.high


def test_a_baseline_at_the_floor_leaves_nothing_to_gain(tmp_path):
    pairs = [pair(3.0, 4.0, (2, 2)), pair(1.5, 2.03, (2, 2), seed=2)]
    entry = GAP.entry(sample_of(tmp_path, pairs))
    assert (entry.text, entry.value) == ("at floor", None)


def test_a_model_below_the_floor_is_a_warning(tmp_path):
    entry = GAP.entry(sample_of(tmp_path, [pair(1.5, 4.0, (2, 2))]))
    assert entry.value == pytest.approx(125)
    assert "below the floor" in entry.note


def test_without_a_floor_there_is_no_gap(tmp_path):
    alone = Pair(model={"ip": values(1.0)}, baseline={"ip": values(2.0)})
    with pytest.raises(Unanswered, match="–"):
        GAP.entry(sample_of(tmp_path, [alone]))
