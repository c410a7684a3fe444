"""Who wins by a criterion."""

import pandas as pd
import pytest

from cftrain.summary.methods.verdicts import judged, verdicts

SEEDS = [11, 12, 13]


def lines(**columns: float | list[float]) -> pd.DataFrame:
    """A line for each of three seeds; IP of 8 where the baseline has 10, floor 5."""
    given = {
        "accuracy": 0.9,
        "validity": 1.0,
        "pgd_accuracy": 0.6,
        "ip_common": 8.0,
        "ip_common_baseline": 10.0,
        "ip_floor": 5.0,
        "ip_star": 0.1,
        "ip_star_median": 0.1,
        "cost": 2.0,
        **columns,
    }
    frame = pd.DataFrame({"seed": SEEDS, **given})
    base = {
        "accuracy_baseline": 0.905,
        "validity_baseline": 1.0,
        "ip_floor_baseline": 5.0,
        "ip_star_baseline": 0.2,
        "ip_star_median_baseline": 0.2,
    }
    for name, value in base.items():
        frame[name] = value
    less = frame["ip_common_baseline"] - frame["ip_common"]
    return frame.assign(gained=100 * less / frame["ip_common_baseline"])


def outcomes(own: pd.DataFrame, held: pd.DataFrame | None = None) -> dict[str, str]:
    held = lines() if held is None else held
    published = lines(ip_common=[7.0, 8.0, 9.0])
    found = verdicts(own, published, held, lines())
    return {name: each and each.outcome for name, each in found.items()}


def test_a_verdict_follows_the_interval_over_seeds():
    assert judged([0.1, 0.11, 0.12], "by").outcome == "won"
    assert judged([-0.1, -0.11, -0.12], "by").outcome == "lost"
    assert judged([-0.1, 0.11, 0.12], "by").outcome == "tied"
    assert judged([0.0, 0.0], "by").outcome == "won"
    assert judged([0.3], "by").outcome == "won"
    assert judged([], "by") is None


def test_what_keeps_everything_wins_everything():
    assert set(outcomes(lines()).values()) == {"won"}


@pytest.mark.parametrize(
    ("columns", "criterion"),
    [
        ({"accuracy": 0.89}, "accuracy"),
        ({"validity": 0.97}, "validity"),
        ({"ip_common": 11.0}, "ip"),
        ({"ip_common": 4.0}, "ip"),
        ({"ip_star": 0.3}, "ip_star"),
        ({"ip_star_median": 0.3}, "ip_star"),
        ({"pgd_accuracy": 0.5}, "pgd"),
        ({"ip_common": [6.0, 8.0, 9.9]}, "spread"),
    ],
)
def test_each_criterion_is_lost_by_what_it_is_about(columns, criterion):
    assert outcomes(lines(**columns))[criterion] == "lost"


def test_one_point_of_accuracy_and_two_of_validity_may_be_lost():
    found = outcomes(lines(accuracy=0.895, validity=0.98))
    assert (found["accuracy"], found["validity"]) == ("won", "won")


def test_a_little_below_the_floor_is_no_collapse():
    assert outcomes(lines(ip_common=4.8))["ip"] == "won"


def test_where_the_baseline_is_at_the_floor_there_is_nothing_to_win():
    assert outcomes(lines(ip_common_baseline=5.05))["ip"] is None


def test_protected_cost_is_held_against_the_published_method():
    assert outcomes(lines(), lines(cost=3.0))["cost"] == "lost"
    assert outcomes(lines(), lines().iloc[:0])["cost"] is None


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0, 0.0]])
def test_a_baseline_that_stands_for_a_method_gains_nothing(values):
    assert judged(values, "by", gain=True).outcome == "tied"
    assert judged(values, "by").outcome == "won"
