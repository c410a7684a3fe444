"""Proposition 3.1: protection lowers the sensitivity to the protected feature."""

import numpy as np
import pytest

from cftrain.errors import ConfigError
from cftrain.illustrations.protection import sensitivity
from cftrain.illustrations.sensitivity_figure import (
    Sensitivity,
    draw_shares,
    shares_table,
)
from cftrain.summary.statistics.intervals import t_interval
from tests.console import run_of

CREDIT = ("+experiment=credit", "schedule.epochs=40", "schedule.counterfactuals=300")


def trained(seeds: int, *overrides: str) -> Sensitivity:
    run = run_of(*overrides)
    return sensitivity(run, run.data.load(), feature="age", seeds=seeds)


@pytest.mark.slow
def test_a_protected_feature_counts_less_over_ten_seeds():
    found = trained(10, "+experiment=credit")
    assert len(found.change) == 10
    assert t_interval(found.change).high < 0, found.change


def test_without_counterfactuals_protection_changes_nothing():
    found = trained(
        2,
        *CREDIT,
        "objective=vanilla",
        "objective.ridge_weight=0",
        "objective.adversarial_weight=0",
        "schedule.epochs=2",
    )
    assert np.array_equal(found.change, np.zeros(2))


def test_other_models_are_refused():
    with pytest.raises(ConfigError, match="expected a linear model"):
        trained(2, *CREDIT, "model=mlp", "schedule.epochs=1")


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
