"""What the published table supports, on itself and on what contradicts it."""

from cftrain.summary.table_a1.pattern import checks
from cftrain.summary.table_a1.replication import Effect
from tests.summary.table_a1.test_replication import PUBLISHED_EFFECTS, own


def test_the_published_table_meets_what_it_is_asked_for():
    found = checks(own(PUBLISHED_EFFECTS), PUBLISHED_EFFECTS)
    assert [check.holds for check in found] == [True] * 5
    assert "REVISE -45.8 (published -45.8)" in str(found[1])
    assert str(found[0]).startswith("met: (i) ")


def test_turned_round_it_meets_what_asks_for_no_sign():
    turned = {
        key: Effect(value=-e.value, std=e.std, count=25, trials=e.trials)
        for key, e in own(PUBLISHED_EFFECTS).items()
    }
    found = checks(turned, PUBLISHED_EFFECTS)
    assert [check.holds for check in found] == [False, False, True, True, True]


def test_an_effect_of_the_energy_weight_is_seen():
    graded = {
        key: Effect(value=e.value / 100 + key.energy_weight, std=1, count=25)
        for key, e in PUBLISHED_EFFECTS.items()
    }
    assert checks(graded, PUBLISHED_EFFECTS)[3].holds is False


def test_what_is_missing_cannot_be_judged():
    found = checks({}, PUBLISHED_EFFECTS)
    assert [check.holds for check in found] == [None] * 5
    assert str(found[0]).endswith("30 of 30 points are missing")
