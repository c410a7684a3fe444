from dataclasses import replace
from math import nan

import pytest

from cftrain.budget.budget import Budget, Candidate, Loss, kept, within
from cftrain.errors import ConfigError
from cftrain.results.budget.table import LIMITED

ONE_POINT = Budget(
    accuracy=0.01,
    validity=None,
    reach=None,
    measure="strength",
    strengths=(0.0, 0.1, 0.3, 1.0),
    standard_errors=0.0,
    individuals=10,
)
BASELINE = Candidate(
    strength=0.0,
    losses={name: Loss(value=0, error=0) for name in LIMITED},
    score=0,
)


def candidate(
    strength: float,
    accuracy: float,
    *,
    error: float = 0.002,
    validity: float = 0.0,
    reach: float = 0.0,
    score: float | None = None,
) -> Candidate:
    return Candidate(
        strength=strength,
        losses={
            "accuracy": Loss(value=accuracy, error=error),
            "validity": Loss(value=validity, error=0.01),
            "reach": Loss(value=reach, error=0.01),
        },
        score=strength if score is None else score,
    )


def test_the_strongest_that_costs_no_more_is_kept_also_beyond_a_dear_one():
    curve = [BASELINE, candidate(0.1, 0.02), candidate(0.3, 0.01), candidate(1, 0.011)]
    assert kept(curve, ONE_POINT) == 2


def test_a_gain_is_no_loss():
    assert within(candidate(0.1, -0.2), ONE_POINT)


def test_the_baseline_stays_where_everything_is_too_dear():
    assert kept([BASELINE, candidate(0.1, 0.5)], ONE_POINT) == 0


def test_each_share_has_a_limit_of_its_own():
    reaching = replace(ONE_POINT, accuracy=None, reach=0.05)
    assert reaching.active
    assert within(candidate(0.1, 0.5, validity=0.5, reach=0.05), reaching)
    assert not within(candidate(0.1, 0.0, reach=0.06), reaching)
    both = replace(reaching, validity=0.02)
    assert not within(candidate(0.1, 0.0, validity=0.03, reach=0.0), both)


def test_standard_errors_count_on_top():
    sure = replace(ONE_POINT, standard_errors=1.645)
    assert within(candidate(0.1, 0.006, error=0.002), sure)
    assert not within(candidate(0.1, 0.007, error=0.002), sure)
    assert within(candidate(0.1, 0.007, error=nan), sure)


def test_both_budgets_have_to_be_kept():
    both = replace(ONE_POINT, validity=0.05)
    assert within(candidate(0.1, 0.01, validity=0.05), both)
    assert not within(candidate(0.1, 0.01, validity=0.06), both)
    assert not within(candidate(0.1, 0.02, validity=0.0), both)
    assert within(candidate(0.1, 0.9, validity=0.0), replace(both, accuracy=None))


def test_what_nobody_knows_is_not_within():
    assert not within(candidate(0.1, nan), ONE_POINT)
    assert within(candidate(0.1, 0.0, validity=nan), ONE_POINT)
    assert not within(candidate(0.1, 0.0, validity=nan), replace(ONE_POINT, validity=1))


def test_another_measure_decides_among_those_within():
    curve = [
        replace(BASELINE, score=-3.0),
        candidate(0.1, 0.0, score=-1.0),
        candidate(0.3, 0.0, score=-2.0),
        candidate(1.0, 0.5, score=-0.5),
    ]
    assert kept(curve, ONE_POINT) == 1
    worse = [replace(each, score=-9.0) for each in curve[1:]]
    assert kept([curve[0], *worse], ONE_POINT) == 0
    unknown = [replace(curve[0], score=nan), replace(curve[1], score=nan), curve[2]]
    assert kept(unknown, ONE_POINT) == 2
    assert kept(unknown[:2], ONE_POINT) == 0


def test_a_budget_is_active_where_it_limits_anything():
    assert ONE_POINT.active
    assert replace(ONE_POINT, accuracy=None, validity=0.0).active
    assert not replace(ONE_POINT, accuracy=None).active
    assert ONE_POINT.tried == (0.1, 0.3, 1.0)


@pytest.mark.parametrize("strengths", [(), (0.0,), (0.1, 0.1)])
def test_strengths_without_a_choice_are_refused(strengths):
    with pytest.raises(ConfigError, match=r"budget\.strengths"):
        replace(ONE_POINT, strengths=strengths)
