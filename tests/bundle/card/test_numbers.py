import pandas as pd
import pytest
from scipy.stats import t

from cftrain.bundle.card.numbers import numbers

KEYS = ["cell", "metric", "unit", "round", "energy_weight", "epsilon", "value", "rows"]


def metrics(*rows):
    return pd.DataFrame(list(rows), columns=KEYS)


def of(found, cell="a"):
    return {(each.metric, each.epsilon): each for each in numbers(found, cell)}


def test_a_share_of_rows_has_wilsons_interval():
    """For 8 of 10: (0.4902, 0.9433), as in the tables."""
    row = ("a", "accuracy", "share", None, None, None, 0.8, 10)
    attacked = ("a", "pgd_accuracy", "share", None, None, 0.1, 0.5, 10)
    found = of(metrics(row, attacked))
    assert found["accuracy", None].spread == "0.4902 to 0.9433, 10 rows"
    assert found["accuracy", None].of_seeds == ""
    assert found["pgd_accuracy", 0.1].line()[:2] == [
        "accuracy under PGD (ε = 0.1)",
        "0.5",
    ]


def test_rounds_have_a_deviation_and_energy_weights_are_averaged():
    rows = [
        ("a", "ip", "distance", round_, weight, None, value, 5)
        for round_, weight, value in [(0, 1.0, 1.0), (0, 2.0, 3.0), (1, 1.0, 4.0)]
    ]
    found = of(metrics(*rows))["ip", None]
    assert found.value == 3.0
    assert found.spread == "± 1.4 over 2 rounds"


def test_seeds_have_students_interval_and_shares_end_at_one():
    values = {"a": 0.9, "b": 1.0, "c": 0.8}
    rows = [
        (cell, metric, "share" if metric == "accuracy" else "", None, None, None, v, 10)
        for metric in ("accuracy", "cost")
        for cell, v in values.items()
    ]
    found = of(metrics(*rows))
    half = t.ppf(0.975, 2) * 0.1 / 3**0.5
    low, high = 0.9 - half, 0.9 + half
    assert found["cost", None].of_seeds == f"0.9 ({low:.4g} to {high:.4g}), 3 seeds"
    assert found["accuracy", None].of_seeds == f"0.9 ({low:.4g} to 1), 3 seeds"
    assert of(metrics(*rows), "b")["cost", None].value == 1.0


@pytest.mark.parametrize("value", [None, float("nan")])
def test_what_has_no_value_is_not_told(value):
    row = ("a", "accuracy", "share", None, None, None, value, 0)
    floor = ("a", "ip_floor", "distance", 0, None, None, 1.0, 5)
    assert numbers(metrics(row, floor), "a") == []
    assert numbers(pd.DataFrame(), "a") == []
