"""The four panels of the paper's Figure 1."""

import numpy as np
import pytest

from cftrain.errors import ConfigError
from cftrain.illustrations.constraints import panels
from cftrain.illustrations.recourse_panels import draw_panels
from tests.console import read


@pytest.fixture(scope="module")
def drawn():
    run, settings = read(
        "+experiment=credit", "schedule.epochs=60", "schedule.counterfactuals=500"
    )
    return panels(run, settings.compare, run.data.load(), feature="age", count=8)


def test_there_are_four_panels_of_the_same_factuals(drawn):
    assert [(panel.model, panel.protected) for panel in drawn] == [
        ("conventional", None),
        ("counterfactual", None),
        ("conventional", "age"),
        ("counterfactual", "age"),
    ]
    for panel in drawn:
        assert np.array_equal(panel.factual, drawn[0].factual)
        assert panel.valid.all()


def test_an_immutable_age_does_not_move(drawn):
    for panel in drawn[2:]:
        assert np.array_equal(panel.counterfactual[:, 0], panel.factual[:, 0])
    for panel in drawn[:2]:
        assert (panel.counterfactual[:, 0] != panel.factual[:, 0]).all()


def test_what_the_example_says(drawn):
    """Plausible stars in (b); in (d) shorter and more even paths than in (c)."""
    conventional, counterfactual, fixed, protected = drawn
    assert counterfactual.implausibility < conventional.implausibility
    assert protected.cost < fixed.cost
    ends = [panel.counterfactual[:, 1] for panel in (fixed, protected)]
    assert np.ptp(ends[1]) < np.ptp(ends[0])


def test_too_many_factuals_are_refused():
    run, settings = read("+experiment=credit", "schedule.epochs=1")
    with pytest.raises(ConfigError, match="factuals: expected at most"):
        panels(run, settings.compare, run.data.load(), feature="age", count=5000)


def test_the_picture(drawn, tmp_path):
    files = draw_panels(drawn, ["age", "debt"], tmp_path / "constraints")
    assert [path.suffix for path in files] == [".png", ".pdf"]
