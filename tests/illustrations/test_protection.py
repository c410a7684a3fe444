"""Proposition 3.1: protection lowers the sensitivity to the protected feature."""

import numpy as np
import pytest

from cftrain.errors import ConfigError
from cftrain.illustrations.protection import sensitivity
from cftrain.illustrations.sensitivity_figure import (
    Sensitivity,
    draw_shares,
    interval,
    shares_table,
)
from tests.console import run_of

CREDIT = ("+experiment=credit", "schedule.epochs=40", "schedule.counterfactuals=300")


@pytest.mark.slow
def test_a_protected_feature_counts_less_over_ten_seeds():
    found = sensitivity(run_of("+experiment=credit"), "age", 10)
    assert len(found.change) == 10
    _, _, high = interval(found.change)
    assert high < 0, found.change


def test_without_counterfactuals_protection_changes_nothing():
    found = sensitivity(
        run_of(
            *CREDIT,
            "objective=vanilla",
            "objective.ridge_weight=0",
            "objective.adversarial_weight=0",
            "schedule.epochs=2",
        ),
        "age",
        2,
    )
    assert np.array_equal(found.change, np.zeros(2))


def test_other_models_are_refused():
    with pytest.raises(ConfigError, match="expected a linear model"):
        sensitivity(run_of(*CREDIT, "model=mlp", "schedule.epochs=1"), "age", 2)


def test_the_interval_is_that_of_students_t():
    mean, low, high = interval(np.array([1.0, 2.0, 3.0, 4.0]))
    half = 3.182446 * np.std([1, 2, 3, 4], ddof=1) / 2
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - half, 2.5 + half))


def test_the_table_and_the_picture(tmp_path):
    found = Sensitivity(
        feature="age", free=np.array([0.5, 0.4]), protected=np.array([0.2, 0.3])
    )
    table = shares_table(found)
    assert "sensitivity share of age, 2 seeds" in table
    assert "-0.2000" in table
    files = draw_shares(found, tmp_path / "shares")
    assert [path.suffix for path in files] == [".png", ".pdf"]
    assert all(path.stat().st_size > 1000 for path in files)
