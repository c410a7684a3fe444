"""Trained models with their other seeds, as `cftrain show` prints them."""

import json
from datetime import UTC, datetime
from pathlib import Path

from cftrain.results.budget.table import add_budget
from cftrain.results.store import Store
from cftrain.summary.reading.collection import Collection, collect
from cftrain.summary.reading.seeds import by_seed
from tests.results.rows import curve_of
from tests.summary.rows import PROTOCOL
from tests.summary.stores import cell, cells, write_grid


def test_models_that_differ_in_their_seeds_stand_together_in_order(tmp_path):
    rows = cells(["moons"], ["full", "vanilla"], [3, 1])
    (found,) = by_seed(write_grid(tmp_path, rows))
    assert found.cells == (
        ("moons-full-1", "moons-vanilla-1"),
        ("moons-full-3", "moons-vanilla-3"),
    )
    assert found.protocol == PROTOCOL
    assert found.coordinates == {"axis": "1"}


def test_other_data_and_objectives_stand_apart(tmp_path):
    rows = cells(["moons", "circles"], ["full"], [1])
    found = by_seed(write_grid(tmp_path, rows))
    assert [each.cells for each in found] == [
        (("moons-full-1",),),
        (("circles-full-1",),),
    ]


def test_a_baseline_of_nobody_stands_alone(tmp_path):
    (found,) = by_seed(write_grid(tmp_path, cells(["moons"], ["vanilla"], [1])))
    assert found.cells == (("moons-vanilla-1",),)
    assert found.coordinates == {}


def test_coordinates_in_which_seeds_differ_are_no_name(tmp_path):
    rows = cells(["moons"], ["full"], [1, 2])
    places = {f"moons-full-{seed}": {"seed": seed, "tau": 0.5} for seed in (1, 2)}
    (found,) = by_seed(write_grid(tmp_path, rows, coordinates=places))
    assert found.coordinates == {"tau": "0.5"}


def within_budget(folder: Path, kept: dict[int, float]) -> Collection:
    """Strengths that were tried with each seed, of which a budget has kept one."""
    rows = [
        cell("wine", objective, seed, cell=f"wine-{strength}-{seed}", pair=f"p{seed}")
        | {"config": json.dumps({"seed": seed, "objective": {"strength": strength}})}
        for seed in kept
        for strength, objective in ((0, "vanilla"), (2, "aligned"), (1, "aligned"))
    ]
    store = Store(folder)
    store.write("history", "s", [])
    store.write("cells", "s", rows)
    for seed, strength in kept.items():
        curve = curve_of(
            {f"wine-{tried}-{seed}": tried for tried in (0, 2, 1)},
            kept=f"wine-{strength}-{seed}",
            budget=f"b{seed}",
            created=datetime(2026, 1, seed, tzinfo=UTC),
            measure="strength",
        )
        add_budget(folder, curve)
    return collect(folder)


def test_what_budgets_have_kept_are_replicates_whatever_the_strength(tmp_path):
    (found,) = by_seed(within_budget(tmp_path, {2: 2, 1: 1, 3: 0}))
    assert found.cells == (
        ("wine-1-1", "wine-0-1"),
        ("wine-2-2", "wine-0-2"),
        ("wine-0-3", "wine-0-3"),
    )


def test_where_budgets_have_kept_baselines_alone_there_is_nothing_beside_them(tmp_path):
    (found,) = by_seed(within_budget(tmp_path, {1: 0, 2: 0}))
    assert found.cells == (("wine-0-1",), ("wine-0-2",))


def test_what_a_budget_has_tried_and_not_kept_is_no_model_of_a_table(tmp_path):
    pairs = within_budget(tmp_path, {1: 1, 2: 0}).pairs
    assert pairs["model"].tolist() == ["wine-1-1"]
    assert pairs["baseline"].tolist() == ["wine-0-1"]
