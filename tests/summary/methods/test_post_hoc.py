"""Models by generators: each model is trained once and explained by all of them."""

from pathlib import Path

import numpy as np
import pytest

from cftrain.summary.methods.post_hoc import PostHoc, lines_of
from cftrain.summary.methods.tables import Shown
from cftrain.summary.reading.collection import Collection, collect
from cftrain.summary.reading.reader import Reader
from tests.console import TINY_MOONS, call

AXES = (
    "{experiment: [moons], seed: [11, 12], objective: [vanilla, pgd], "
    "evaluation/generator: [path, generic, nearest]}"
)
GRID = (
    "grid=post_hoc",
    f"grid.axes={AXES}",
    *(w for w in TINY_MOONS if w != "data=moons" and not w.startswith("evaluation")),
    "evaluation.search.max_steps=6",
    "workers=1",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("post_hoc") / "grid"
    outcome = call("grid", *GRID, f"hydra.run.dir={place}")
    assert outcome.code == 0, outcome.err
    assert "4 distinct cells" in outcome.out
    return place


@pytest.fixture(scope="module")
def collection(folder) -> Collection:
    return collect(folder)


def test_each_model_is_there_once_for_each_generator(collection):
    lines = lines_of(collection, ("post_hoc",))
    assert len(lines) == 2 * 2 * 3
    assert lines.index.nunique() == 4
    assert set(lines["generator"]) == {"generic", "nearest", "path"}
    of_model = lines.groupby(level=0)
    assert (of_model["accuracy"].nunique() == 1).all()
    # Models this young are sure of one row only, the nearest and the end of any path.
    assert (of_model["cost"].nunique() == 2).all()


def test_means_are_those_of_the_evaluation_by_that_generator(collection):
    lines = lines_of(collection, ("post_hoc",))
    there = collection.measured.reset_index("protocol")
    rows = collection.of_evaluation("metrics", there)
    told = rows[rows["metric"] == "cost"].groupby(["cell", "protocol"])["value"]
    assert len(told) == len(lines)
    for (cell, _), value in told.mean().items():
        assert np.isclose(lines.loc[[cell], "cost"], value).any()


def test_models_come_in_the_order_of_methods_under_their_generators(collection, folder):
    cost = Shown(key="cost", group="", title="", better=-1, factor=1.0, against=False)
    layout = PostHoc(
        name="post_hoc", title="t", caption="c", grids=("post_hoc",), columns=(cost,)
    )
    made = layout.table(Reader(collection, folder))
    assert [row.labels for row in made.rows] == [
        ("Moon", generator, model)
        for generator in ("Generic", "nearest observed", "path over observed")
        for model in ("PGD", "BL")
    ]
    assert all(len(row.entries) == 1 for row in made.rows)


def test_without_such_a_grid_the_table_is_empty(collection):
    assert lines_of(collection, ("methods",)).empty
