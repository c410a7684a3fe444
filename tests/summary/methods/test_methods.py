"""Methods side by side, from a line for each model to tables and a figure."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cftrain.summary.methods import tables
from cftrain.summary.methods.frontier import frontiers
from cftrain.summary.methods.gallery import shown
from cftrain.summary.methods.measured import against_baseline, chosen, measured
from cftrain.summary.methods.scoreboard import Scoreboard
from cftrain.summary.methods.tables import Methods, Shown
from cftrain.summary.reading.collection import collect
from cftrain.summary.reading.reader import Reader
from tests.console import TINY_MOONS, call

GRID = (
    "grid=methods",
    "grid.axes={experiment: [moons], seed: [11, 12], "
    "objective: [full, pgd, counternet, vanilla], objective.strength: [0.1, 1.0], "
    "model: [mlp, ensemble]}",
    "grid.only_with={objective.strength: {objective: [full, pgd]}, "
    "model: {objective: [vanilla]}}",
    *(w for w in TINY_MOONS if w != "data=moons" and not w.startswith("evaluation")),
    "evaluation.energy_weights=[0.5,5.0]",
    "evaluation.search.max_steps=6",
    "workers=1",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The methods of a tiny grid on Moons."""
    place = tmp_path_factory.mktemp("methods") / "grid"
    outcome = call("grid", *GRID, f"hydra.run.dir={place}")
    assert outcome.code == 0, outcome.err
    return place


@pytest.fixture(scope="module")
def lines(folder) -> pd.DataFrame:
    return against_baseline(measured(collect(folder), ["methods"]))


def test_every_model_has_a_line_with_its_method_and_setting(lines):
    found = set(zip(lines["method"], lines["setting"], lines["seed"], strict=True))
    expected = {("full", 0.1), ("full", 1.0), ("pgd", 0.1), ("pgd", 1.0)}
    expected |= {("vanilla", 0.0), ("ensemble", 0.0), ("counternet", 1.0)}
    assert found == {(*each, seed) for each in expected for seed in (11, 12)}
    assert lines["accuracy"].notna().all()
    assert lines["negative_log_likelihood"].notna().all()


def test_a_model_that_answers_itself_is_measured_by_its_answers(lines):
    """Predictions are those of the baseline, counterfactuals are not."""
    own = lines[lines["method"] == "counternet"]
    for name in ("accuracy", "negative_log_likelihood"):
        assert own[name].tolist() == own[f"{name}_baseline"].tolist()
    assert (own["cost"] != own["cost_baseline"]).all()


def test_a_baseline_is_held_against_itself(lines):
    base = lines[lines["method"] == "vanilla"]
    assert (base["accuracy"] == base["accuracy_baseline"]).all()
    known = base["ip_common"].notna()
    assert (base["ip_common"] == base["ip_common_baseline"])[known].all()


def test_the_strongest_within_the_budget_is_chosen_by_validation_rows(lines):
    given = lines.assign(
        validation_accuracy_baseline=0.9,
        validation_accuracy=np.where(lines["setting"] == 1, 0.8, 0.895),
        accuracy=np.where(lines["setting"] == 1, 1.0, 0.0),
    )
    found = chosen(given, 0.01)
    assert set(found[found["method"] == "pgd"]["setting"]) == {0.1}
    found = chosen(given, 0.5)
    assert set(found[found["method"] == "pgd"]["setting"]) == {1.0}
    found = chosen(given, 0.001)
    assert not found[found["method"] == "pgd"]["kept"].any()
    assert set(found[found["method"] == "pgd"]["setting"]) == {0.0}


def test_there_is_a_line_for_each_method_and_the_best_is_bold(folder):
    layout = Methods(
        name="methods",
        title="t",
        caption="c",
        grids=("methods",),
        protected=False,
        budget=1.0,
        columns=(
            Shown(
                key="accuracy",
                group="",
                title="accuracy",
                better=1,
                factor=100.0,
                against=True,
            ),
        ),
    )
    made = layout.table(Reader(collect(folder), folder))
    assert [row.labels for row in made.rows] == [
        ("Moon", "BL"),
        ("Moon", "CT"),
        ("Moon", "PGD"),
        ("Moon", "CN"),
        ("Moon", "ensemble"),
    ]
    assert made.rows[0].entries[1].value == 0
    assert made.rows[1].entries[0].text == "1"


def test_the_best_and_its_equals_are_bold():
    seeds = [11, 12, 13]
    shown = Shown(key="a", group="", title="", better=1, factor=1.0, against=False)
    values = {
        "best": pd.Series([3.0, 3.1, 3.2], seeds),
        "equal": pd.Series([3.1, 3.0, 3.1], seeds),
        "worse": pd.Series([1.0, 1.1, 1.2], seeds),
    }
    found = tables.column_entries(values, shown)
    assert {name for name, entry in found.items() if entry.best} == {"best", "equal"}


def test_the_scoreboard_has_a_verdict_on_every_criterion(folder):
    board = Scoreboard(
        name="scoreboard", title="t", caption="c", grids=("methods",), budget=1.0
    )
    made = board.table(Reader(collect(folder), folder))
    assert len(made.rows) == 4
    for row in made.rows:
        said = {entry.text for entry in row.entries[:-1]}
        assert said <= {"won", "tied", "lost", "–"}
        assert row.entries[-2].text == "–"  # nothing is protected here


def test_the_frontier_has_a_drawing_for_each_price(folder):
    drawn = list(frontiers(collect(folder)))
    assert [each.name for each in drawn] == [
        "frontier-accuracy",
        "frontier-validity",
        "frontier-pgd_accuracy",
    ]
    (axis,) = drawn[0].figure.get_axes()
    assert axis.get_subplotspec().get_gridspec().ncols == 1
    labels = {line.get_label() for line in axis.get_lines()}
    assert {"CT", "PGD", "ensemble"} <= labels


def test_a_gallery_shows_what_is_chosen_and_what_is_published(lines):
    first = lines[lines["seed"] == 11].assign(validation_accuracy_baseline=0.9)
    weak = first["setting"] < 1
    found = first.set_index("cell").loc[
        shown(first.assign(validation_accuracy=np.where(weak, 0.895, 0.8)))
    ]
    assert list(zip(found["method"], found["setting"], strict=True)) == [
        ("vanilla", 0),
        ("full", 0.1),
        ("pgd", 0.1),
        ("full", 1),
    ]


def test_tables_and_figures_of_methods_are_written(folder):
    outcome = call("tables", str(folder), "table=scoreboard")
    assert outcome.code == 0, outcome.err
    assert "| Moon" in outcome.out
